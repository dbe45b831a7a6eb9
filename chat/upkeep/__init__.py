"""Maintains a server: backups, deletion of old conversations, and imports of uploaded files."""
