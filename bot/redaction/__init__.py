"""Redaction: personal data and secrets are taken out of texts before anything is stored or sent. Pure."""
