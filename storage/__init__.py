"""Records in, documents out: what the bot keeps, on disk before anyone is told so."""
