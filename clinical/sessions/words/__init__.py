"""What was said and written in a session: counted for its page, opened part by part on request."""
