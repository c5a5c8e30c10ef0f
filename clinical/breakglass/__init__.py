"""The door that opens a chart from outside its team, the strip that says so, and its review."""
