"""Records -> Slack blocks and texts. Every word a person reads in Slack is in this package; nothing here acts."""
