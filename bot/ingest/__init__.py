"""What arrives by itself: traces."""
