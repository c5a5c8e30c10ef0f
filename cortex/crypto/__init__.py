"""Sealed fields, data keys, master-key providers, blind indexes and digests; it has no table of its own."""
