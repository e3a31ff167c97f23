"""Who vouches: keys, trust store, envelopes, signature formats."""
