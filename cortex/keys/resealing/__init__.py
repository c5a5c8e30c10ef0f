"""People's rows sealed anew under a newer version of their key, until nothing is left on the old one."""
