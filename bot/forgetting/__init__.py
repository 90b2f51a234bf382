"""Flow C: a trace or a person is forgotten, in the memories, in the store, in Slack."""
