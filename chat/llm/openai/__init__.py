"""The client for servers that speak OpenAI's protocol."""
