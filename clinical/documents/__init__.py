"""Documents of a chart: letters, reports, photographed paper; sealed in pieces by the person's key."""
