"""What the phases share: one folder per capability, none of which sees another."""
