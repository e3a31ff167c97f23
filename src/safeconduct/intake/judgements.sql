-- Decisions, verdicts and admissions, as they were given.

-- line: add_judgement
INSERT INTO judgement (line_id, seq, n, kind, scope, outcome, policy, trust_version, decision, cluster_id, ns, workload, at)
VALUES (:line_id, :seq, :n, :kind, :scope, :outcome, :policy, :trust_version, :decision, :cluster_id, :ns, :workload, :at);

-- digest: same_verdict
SELECT 1 FROM verdict WHERE digest = :digest AND scope = :scope AND policy = :policy AND trust_version = :trust_version
  AND epoch = :epoch AND outcome = :outcome AND valid_until = :valid_until AND decision = :decision;
