"""From a commit to a signed, gated, published release."""
