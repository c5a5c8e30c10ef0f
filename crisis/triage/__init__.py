"""What a batch means for its people: evidence, evaluations and alerts, also when the engine fails."""
