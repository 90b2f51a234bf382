"""Numbers out: digest, status, export, agreement."""
