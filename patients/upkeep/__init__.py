"""What machines do with people's data by the clock: extraction, purges, age bands."""
