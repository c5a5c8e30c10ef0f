"""Notices to members of staff inside the product: codes and ids, read or not."""
