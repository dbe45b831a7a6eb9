"""All other providers, through the `litellm` package."""
