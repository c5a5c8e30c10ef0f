"""The timetable's slots: each scheduled time of each job is run once, whoever sends it and whoever dies."""
