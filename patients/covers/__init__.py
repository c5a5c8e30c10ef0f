"""Planned absences and covers; the rows of covers and their rules stand in `patients.care`."""
