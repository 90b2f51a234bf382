"""asyncio and time: clocks, wake events, supervision, circuit breaking. No Slack, no store."""
