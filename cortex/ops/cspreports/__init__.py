"""What browsers report of our content policy: counted by directive, kind of source and route, in codes."""
