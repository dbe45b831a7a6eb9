"""The commands of `manage.py`, and what they share: signals, options, progress, errors in words."""
