"""Slack's Web API on the embedded workspace, as strict as Slack."""
