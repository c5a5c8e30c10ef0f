"""Billing codes as a table of one's own, and lines that are suggested from minutes and sent by people."""
