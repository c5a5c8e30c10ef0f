"""What a person allowed: consents."""
