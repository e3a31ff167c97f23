"""What was committed: raw git objects, split into payload and signature."""
