"""Events and interactions, delivered to the bot over Socket Mode or signed HTTP."""
