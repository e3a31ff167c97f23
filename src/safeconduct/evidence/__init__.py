"""Which verified claims exist about one digest: image, file or commit."""
