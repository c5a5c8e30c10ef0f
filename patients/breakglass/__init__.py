"""Opening a chart from outside its team in an emergency: the reason, the four hours, the review."""
