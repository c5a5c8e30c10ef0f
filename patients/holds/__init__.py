"""Legal holds: what compliance keeps from being deleted or changed until somebody else releases it."""
