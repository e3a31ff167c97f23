"""Document bytes to verified facts to graph: the graph's only writer."""
