"""From a tree and its commits to a decision before commit."""
