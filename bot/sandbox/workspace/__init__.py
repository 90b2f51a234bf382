"""The state of the embedded workspace: people, channels, messages, views."""
