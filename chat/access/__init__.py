"""The gate: who is asking, where a request comes from, and what it may reach."""
