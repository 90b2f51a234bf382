"""From the outbox to Slack: cards and replies posted, messages redacted."""
