"""How the database came to its shape. A released migration never changes."""
