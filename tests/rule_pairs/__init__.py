"""Pairs of guidelines with the relation that people see between them, and the score of whatever unites some of them."""
