"""Reaching the database: its configuration, the lanes of asynchronous code, and who owns it."""
