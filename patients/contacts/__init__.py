"""Emergency contacts that were opened without consent, since somebody was in imminent danger (domain 7.1)."""
