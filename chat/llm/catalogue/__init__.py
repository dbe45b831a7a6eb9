"""Which models there are, who serves each, and what each costs and holds."""
