"""Settings: base reads the environment, dev, test and production say what may be missing."""
