"""Parts of the documentation that are made from the code when the site is built: none can be older than it."""
