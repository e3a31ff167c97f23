-- Which package a line held from which release to which, and the packed dependency graphs.

-- line: open_spans
SELECT pkg_id, first, scope FROM span WHERE line_id = :line_id AND last = :last;

-- line: add_span
INSERT INTO span (line_id, last, pkg_id, first, scope, gen) VALUES (:line_id, :last, :pkg_id, :first, :scope, :gen);

-- line: end_span
UPDATE span SET last = :seq WHERE line_id = :line_id AND last = :last AND pkg_id = :pkg_id AND first = :first;

-- line: spans_at
SELECT pkg_id, first, last, scope, gen FROM span WHERE line_id = :line_id AND last > :seq AND first <= :seq;

-- line: keep_past_span
INSERT INTO span_past (line_id, gen_end, pkg_id, first, last, scope, gen)
VALUES (:line_id, :gen_end, :pkg_id, :first, :last, :scope, :gen);

-- line: drop_span
DELETE FROM span WHERE line_id = :line_id AND last = :last AND pkg_id = :pkg_id AND first = :first;

-- line: add_graph
INSERT INTO graph (line_id, graph, nodes, edges) VALUES (:line_id, :graph, :nodes, :edges) ON CONFLICT DO NOTHING;
