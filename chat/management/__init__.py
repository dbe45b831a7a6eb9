"""Shared by the commands of `manage.py`: options, progress, signals, errors and wording."""
