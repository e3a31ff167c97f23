-- What runs where, and which Pods and containers it is made of.

-- line: open_deployment
SELECT since FROM deployment
WHERE line_id = :line_id AND seq = :seq AND cluster_id = :cluster_id AND ns = :ns AND workload = :workload
  AND container = :container AND until IS NULL;

-- line: add_deployment
INSERT INTO deployment (line_id, seq, cluster_id, ns, workload, container, since, until, decision, known_from, until_known)
VALUES (:line_id, :seq, :cluster_id, :ns, :workload, :container, :since, NULL, NULL, :known_from, NULL)
ON CONFLICT DO NOTHING;

-- line: close_deployment
UPDATE deployment SET until = :until, until_known = :until_known
WHERE line_id = :line_id AND seq = :seq AND cluster_id = :cluster_id AND ns = :ns AND workload = :workload
  AND container = :container AND until IS NULL;

-- line: add_pod
INSERT INTO pod (line_id, seq, cluster_id, ns, workload, container, pod, container_id, since, until, known_from)
VALUES (:line_id, :seq, :cluster_id, :ns, :workload, :container, :pod, :container_id, :since, NULL, :known_from)
ON CONFLICT DO NOTHING;

-- line: find_pod
SELECT since FROM pod
WHERE line_id = :line_id AND seq = :seq AND cluster_id = :cluster_id AND ns = :ns AND workload = :workload
  AND container = :container AND pod = :pod AND container_id = :container_id AND until IS NULL;

-- line: pods_left
SELECT 1 FROM pod
WHERE line_id = :line_id AND seq = :seq AND cluster_id = :cluster_id AND ns = :ns AND workload = :workload
  AND container = :container AND until IS NULL;

-- line: close_pod
UPDATE pod SET until = :until
WHERE line_id = :line_id AND seq = :seq AND cluster_id = :cluster_id AND ns = :ns AND workload = :workload
  AND container = :container AND pod = :pod AND container_id = :container_id AND until IS NULL AND since <= :until;

-- line: close_other_containers
UPDATE pod SET until = :until
WHERE line_id = :line_id AND seq = :seq AND cluster_id = :cluster_id AND ns = :ns AND workload = :workload
  AND container = :container AND pod = :pod AND container_id <> :container_id AND until IS NULL AND since < :until;

-- line: running_deployments
SELECT cluster_id, ns, workload, container, since FROM deployment
WHERE line_id = :line_id AND seq = :seq AND until IS NULL;

-- line: running_pods
SELECT cluster_id, ns, workload, container, pod, container_id, since FROM pod
WHERE line_id = :line_id AND seq = :seq AND until IS NULL;

-- estate: running_in_cluster
SELECT p.line_id, p.seq, c.region, p.ns, p.workload, p.container, p.pod, p.container_id, p.since
FROM pod p JOIN cluster c ON c.cluster_id = p.cluster_id
WHERE p.cluster_id = :cluster_id AND p.until IS NULL AND p.known_from < :at;

-- line: withdraw_deployments
UPDATE deployment SET until = since, until_known = :at WHERE line_id = :line_id AND seq = :seq AND until IS NULL;

-- line: withdraw_pods
UPDATE pod SET until = since WHERE line_id = :line_id AND seq = :seq AND until IS NULL;
