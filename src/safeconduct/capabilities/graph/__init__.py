"""Everything known, and the questions: schema, queries, as-of."""
