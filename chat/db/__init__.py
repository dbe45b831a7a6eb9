"""The database: its configuration, the lanes for asynchronous code, and the process that owns it."""
