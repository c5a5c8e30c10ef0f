"""The independent watchdog: do alerts that wait escalate in time, and does a new one reach a real socket."""
