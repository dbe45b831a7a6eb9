"""Looking after a server: backup and restore, old conversations, and uploaded files to import."""
