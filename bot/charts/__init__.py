"""Charts of a judge's figures, as SVG for pages and as PNG; pure: records in, pictures out."""
