"""What misbehaved: runtime alerts as violations."""
