"""The scripted demo model, for trying everything without a key."""
