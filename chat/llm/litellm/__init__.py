"""The client for all other providers, through the `litellm` package."""
