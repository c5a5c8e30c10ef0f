"""Sensitivity labels: whom each shuts out, asked by charts and by crisis work alike."""
