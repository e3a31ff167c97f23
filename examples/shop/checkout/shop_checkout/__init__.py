"""The checkout service: what can be bought, what is in a cart, what was ordered."""
