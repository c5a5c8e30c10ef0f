"""Emergency contacts without consent: whoever has an alert of imminent danger opens them, with a reason."""
