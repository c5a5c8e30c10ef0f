"""What becomes of coming appointments when care ends, goes to a colleague, or somebody is away."""
