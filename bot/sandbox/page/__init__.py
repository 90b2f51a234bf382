"""The page on which people click, and its HTTP interface."""
