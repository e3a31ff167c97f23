"""What is inside a tree or an image: one reader per file format."""
