"""Planned covers of care teams in the back office; the rows and their rules stand in `patients.care`."""
