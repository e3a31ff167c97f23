-- What runs a package, and which releases hold it. Asked over ids; names come last.

-- estate: deployments_of_package
SELECT d.line_id, d.seq, d.cluster_id, d.ns, d.workload, d.container, d.since
FROM span s JOIN deployment d ON d.line_id = s.line_id
WHERE s.pkg_id = :pkg_id AND d.seq >= s.first AND d.seq < s.last AND d.until IS NULL;

-- estate: deployments_of_package_at
SELECT d.line_id, d.seq, d.cluster_id, d.ns, d.workload, d.container, d.since
FROM span s JOIN deployment d ON d.line_id = s.line_id
WHERE s.pkg_id = :pkg_id AND d.seq >= s.first AND d.seq < s.last
  AND d.since <= :state AND d.known_from <= :known AND (d.until IS NULL OR d.until > :state OR d.until_known > :known)
  AND s.gen <= COALESCE((SELECT MAX(g.gen) FROM line_gen g WHERE g.line_id = s.line_id AND g.known_from <= :known), 1)
UNION ALL
SELECT d.line_id, d.seq, d.cluster_id, d.ns, d.workload, d.container, d.since
FROM span_past s JOIN deployment d ON d.line_id = s.line_id
WHERE s.pkg_id = :pkg_id AND d.seq >= s.first AND d.seq < s.last
  AND d.since <= :state AND d.known_from <= :known AND (d.until IS NULL OR d.until > :state OR d.until_known > :known)
  AND s.gen <= COALESCE((SELECT MAX(g.gen) FROM line_gen g WHERE g.line_id = s.line_id AND g.known_from <= :known), 1)
  AND s.gen_end > COALESCE((SELECT MAX(g.gen) FROM line_gen g WHERE g.line_id = s.line_id AND g.known_from <= :known), 1);

-- estate: count_deployments_without_inventory
SELECT COUNT(*) FROM release r JOIN deployment d ON d.line_id = r.line_id
WHERE r.inventory_rank = 0 AND d.seq = r.seq AND d.until IS NULL;

-- estate: releases_of_advisory
SELECT r.line_id, r.seq, f.pkg_id, f.known_from
FROM fspan f JOIN release r ON r.line_id = f.line_id
WHERE f.advisory_id = :advisory_id AND f.known_until IS NULL AND r.seq >= f.first AND r.seq < f.last;

-- estate: releases_of_advisory_at
SELECT r.line_id, r.seq, f.pkg_id, f.known_from
FROM fspan f JOIN release r ON r.line_id = f.line_id
WHERE f.advisory_id = :advisory_id AND r.seq >= f.first AND r.seq < f.last AND r.known_from <= :state
  AND f.known_from <= :known AND (f.known_until IS NULL OR f.known_until > :known);

-- estate: deployments_of_advisory
SELECT d.line_id, d.seq, d.cluster_id, d.ns, d.workload, d.container, d.since
FROM fspan f JOIN deployment d ON d.line_id = f.line_id
WHERE f.advisory_id = :advisory_id AND f.known_until IS NULL AND d.seq >= f.first AND d.seq < f.last AND d.until IS NULL;

-- estate: deployments_of_advisory_at
SELECT d.line_id, d.seq, d.cluster_id, d.ns, d.workload, d.container, d.since
FROM fspan f JOIN deployment d ON d.line_id = f.line_id
WHERE f.advisory_id = :advisory_id AND d.seq >= f.first AND d.seq < f.last
  AND f.known_from <= :known AND (f.known_until IS NULL OR f.known_until > :known)
  AND d.since <= :state AND d.known_from <= :known AND (d.until IS NULL OR d.until > :state OR d.until_known > :known);

-- dictionary: unordered_of_advisory
SELECT p.pkg_id FROM advisory_range r JOIN advisory_name n ON n.name_id = r.name_id AND n.advisory_id = r.advisory_id
JOIN pkg p ON p.name_id = r.name_id
WHERE n.advisory_id = :advisory_id AND p.vkey IS NULL
UNION
SELECT p.pkg_id FROM advisory_range r JOIN advisory_name n ON n.name_id = r.name_id AND n.advisory_id = r.advisory_id
JOIN pkg_source p ON p.name_id = r.name_id
WHERE n.advisory_id = :advisory_id AND p.vkey IS NULL;

-- dictionary: is_affected
SELECT 1 FROM affects WHERE pkg_id = :pkg_id AND advisory_id = :advisory_id AND known_until IS NULL;

-- estate: findings_of_running
SELECT f.pkg_id, f.advisory_id, COUNT(*)
FROM fspan f JOIN deployment d ON d.line_id = f.line_id
WHERE f.known_until IS NULL AND d.seq >= f.first AND d.seq < f.last AND d.until IS NULL
GROUP BY f.pkg_id, f.advisory_id;

-- estate: findings_of_running_at
SELECT f.pkg_id, f.advisory_id, COUNT(*)
FROM fspan f JOIN deployment d ON d.line_id = f.line_id
WHERE f.known_from <= :known AND (f.known_until IS NULL OR f.known_until > :known) AND d.seq >= f.first AND d.seq < f.last
  AND d.since <= :state AND d.known_from <= :known AND (d.until IS NULL OR d.until > :state OR d.until_known > :known)
GROUP BY f.pkg_id, f.advisory_id;

-- estate: any_deployment
SELECT 1 FROM deployment LIMIT 1;
