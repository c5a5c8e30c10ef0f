"""Sections of a chart about the person rather than the illness: people, consent, crises, who looked."""
