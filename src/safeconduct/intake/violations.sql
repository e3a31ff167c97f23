-- Runtime violations, and the joins that tie one to what runs.

-- estate: pods_of_container
SELECT line_id, seq, cluster_id, ns, workload, container FROM pod WHERE container_id >= :low AND container_id < :high;

-- estate: pods_of_name
SELECT line_id, seq, workload, container FROM pod
WHERE cluster_id = :cluster_id AND ns = :ns AND pod = :pod AND since <= :at AND (until IS NULL OR until > :at);

-- estate: pods_of_namespace
SELECT DISTINCT line_id, seq, workload, container FROM pod
WHERE cluster_id = :cluster_id AND ns = :ns AND since <= :at AND (until IS NULL OR until > :at);

-- line: repository_of_line
SELECT natural_key FROM line WHERE line_id = :line_id;

-- line: find_violation
SELECT 1 FROM violation WHERE line_id = :line_id AND doc = :doc;

-- line: add_violation
INSERT INTO violation (line_id, doc, seq, cluster_id, ns, workload, rule, at, join_strength, known_from)
VALUES (:line_id, :doc, :seq, :cluster_id, :ns, :workload, :rule, :at, :join_strength, :known_from);
