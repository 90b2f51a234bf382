"""Traces as JSON, from a request or a file: read, limited in size, and refused with a reason."""
