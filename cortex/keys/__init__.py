"""The wrapped data keys, in their own database."""
