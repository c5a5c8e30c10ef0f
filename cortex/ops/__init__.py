"""Running the system: settings rows, health, metrics, partitions, embedded stores and `up`."""
