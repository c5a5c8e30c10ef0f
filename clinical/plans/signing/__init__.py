"""What a signature stands under."""
