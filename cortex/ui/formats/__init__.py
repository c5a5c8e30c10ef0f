"""How the back office writes dates and times."""
