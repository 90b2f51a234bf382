"""Trials of new guidelines: earlier cases judged with and without them, before they are used."""
