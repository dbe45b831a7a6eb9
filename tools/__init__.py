"""What a model may do on the server. Knows nothing of conversations, rows or sockets."""
