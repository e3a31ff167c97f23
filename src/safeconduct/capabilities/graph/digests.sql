-- Everything about one digest.

-- line: findings_of_release
SELECT pkg_id, advisory_id, MIN(known_from) FROM fspan
WHERE line_id = :line_id AND last > :seq AND first <= :seq AND known_until IS NULL
GROUP BY pkg_id, advisory_id;

-- line: findings_of_release_at
SELECT pkg_id, advisory_id, MIN(known_from) FROM fspan
WHERE line_id = :line_id AND last > :seq AND first <= :seq AND known_from <= :known
  AND (known_until IS NULL OR known_until > :known)
GROUP BY pkg_id, advisory_id;

-- line: count_components
SELECT COUNT(*) FROM span WHERE line_id = :line_id AND last > :seq AND first <= :seq;

-- line: count_components_at
SELECT (SELECT COUNT(*) FROM span s WHERE s.line_id = :line_id AND s.last > :seq AND s.first <= :seq
    AND s.gen <= COALESCE((SELECT MAX(g.gen) FROM line_gen g WHERE g.line_id = :line_id AND g.known_from <= :known), 1))
  + (SELECT COUNT(*) FROM span_past p WHERE p.line_id = :line_id AND p.last > :seq AND p.first <= :seq
    AND p.gen <= COALESCE((SELECT MAX(g.gen) FROM line_gen g WHERE g.line_id = :line_id AND g.known_from <= :known), 1)
    AND p.gen_end > COALESCE((SELECT MAX(g.gen) FROM line_gen g WHERE g.line_id = :line_id AND g.known_from <= :known), 1));

-- line: deployments_of_release
SELECT cluster_id, ns, workload, container, since, 
  CASE WHEN until IS NULL OR until > :state OR until_known > :known THEN 1 ELSE 0 END
FROM deployment
WHERE line_id = :line_id AND seq = :seq AND since <= :state AND known_from <= :known
  AND (until IS NULL OR until > since OR until_known > :known);

-- line: judgements_of_release
SELECT kind, scope, outcome, policy, trust_version, decision, cluster_id, ns, workload, at FROM judgement
WHERE line_id = :line_id AND seq = :seq AND at <= :known ORDER BY n;

-- line: violations_of_release
SELECT rule, cluster_id, ns, workload, join_strength, doc, at, known_from FROM violation
WHERE line_id = :line_id AND seq = :seq AND known_from <= :known AND at <= :state ORDER BY at, doc;

-- line: get_graph
SELECT nodes, edges FROM graph WHERE line_id = :line_id AND graph = :graph;

-- digest: aliases_of_line
SELECT digest, seq, relation FROM digest_alias WHERE line_id = :line_id;
