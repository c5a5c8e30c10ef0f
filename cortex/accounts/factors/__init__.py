"""Second factors: authenticator apps, security keys and recovery codes, and who must have one."""
