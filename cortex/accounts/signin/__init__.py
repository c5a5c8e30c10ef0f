"""Signing in and out, throttling, password reset."""
