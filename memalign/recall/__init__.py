"""What a judge is shown for a record: similar cases and guidelines that fit."""
