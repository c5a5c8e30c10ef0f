"""Contacts that were promised after a crisis, as a caseload asks for them."""
