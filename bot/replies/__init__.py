"""Reading of people's replies in a card's thread, by rules; English and German. Pure."""
