"""From an admission request to a verdict; from a watch to what runs where."""
