"""The models that Talos can ask. Nothing in here knows of conversations, rows or sockets."""
