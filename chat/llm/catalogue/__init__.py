"""The models on offer: who serves each, its price and its context window."""
