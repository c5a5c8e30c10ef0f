"""Emergency contacts: put on record, corrected and retired; opened without consent in danger (domain 7.1)."""
