"""Who the patients are, what their apps send, and who may see them."""
