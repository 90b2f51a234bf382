"""Records -> Slack blocks and texts. Every word a person reads in Slack is in these rooms; nothing here acts."""
