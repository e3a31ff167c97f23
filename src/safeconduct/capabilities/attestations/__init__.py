"""What they vouch for: in-toto statements and their predicates."""
