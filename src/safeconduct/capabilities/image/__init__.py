"""What an image is made of: assembled from a tree, read as a tree."""
