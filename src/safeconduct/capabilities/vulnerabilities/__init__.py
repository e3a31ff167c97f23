"""What is known to be wrong with a component, and what fixes it."""
