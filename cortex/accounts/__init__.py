"""People who sign in, their organizations, their sessions, and the keys of the apps that send."""
