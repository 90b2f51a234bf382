"""`memalign demo`: the bot in the embedded workspace, on recorded traces."""
