"""The gate: who is asking, where the request comes from, and what both may reach."""
