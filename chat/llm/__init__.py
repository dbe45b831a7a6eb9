"""Clients for every model, with no knowledge of conversations, rows or sockets."""
