"""The demo model: everything can be tried without a key."""
