"""What a person takes: recorded only; nothing here prescribes, advises a dose or looks for interactions."""
