"""The demo's therapy sessions and neural audio."""
