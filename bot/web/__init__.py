"""The bot's one HTTP server."""
