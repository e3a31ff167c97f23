-- What is known of one release, commit, advisory: asked once the estate question has given ids.

-- line: get_release
SELECT digest, inventory_doc, inventory_rank, graph, commit_sha, provenance_doc, product, version, built_at, known_from
FROM release WHERE line_id = :line_id AND seq = :seq;

-- line: get_release_at
SELECT r.digest, r.inventory_doc, r.inventory_rank, r.graph, r.commit_sha, r.provenance_doc, r.product, r.version, r.built_at, r.known_from
FROM release r
WHERE r.line_id = :line_id AND r.seq = :seq AND r.known_from <= :state
  AND r.gen <= COALESCE((SELECT MAX(g.gen) FROM line_gen g WHERE g.line_id = :line_id AND g.known_from <= :known), 1)
UNION ALL
SELECT r.digest, p.inventory_doc, p.inventory_rank, p.graph, p.commit_sha, p.provenance_doc, r.product, r.version, r.built_at, r.known_from
FROM release_past p JOIN release r ON r.line_id = p.line_id AND r.seq = p.seq
WHERE p.line_id = :line_id AND p.seq = :seq AND r.known_from <= :state
  AND p.gen <= COALESCE((SELECT MAX(g.gen) FROM line_gen g WHERE g.line_id = :line_id AND g.known_from <= :known), 1)
  AND p.gen_end > COALESCE((SELECT MAX(g.gen) FROM line_gen g WHERE g.line_id = :line_id AND g.known_from <= :known), 1);

-- line: get_line
SELECT natural_key, kind FROM line WHERE line_id = :line_id;

-- line: get_proofs
SELECT a.doc, a.predicate_id, a.source, v.identity_id, v.outcome, v.trust_version, v.signed_time, v.known_from
FROM attestation a JOIN verification v ON v.line_id = a.line_id AND v.doc = a.doc
WHERE a.line_id = :line_id AND a.seq = :seq AND a.known_from <= :known AND v.known_from <= :known
ORDER BY a.predicate_id, a.doc, v.trust_version;

-- line: get_vouchers
SELECT a.doc, v.identity_id, MIN(v.known_from), MIN(CASE WHEN v.time_source > 1 THEN v.signed_time ELSE NULL END)
FROM attestation a JOIN verification v ON v.line_id = a.line_id AND v.doc = a.doc
WHERE a.line_id = :line_id AND a.seq = :seq AND a.known_from <= :known AND v.known_from <= :known
  AND v.outcome = 0 AND v.identity_id IS NOT NULL
GROUP BY a.doc, v.identity_id;

-- digest: lines_of_commit
SELECT line_id FROM commit_line WHERE sha = :sha;

-- line: get_commit
SELECT author, state, identity_id, committed_at, doc FROM source_commit
WHERE line_id = :line_id AND sha = :sha AND known_from <= :known ORDER BY trust_version DESC LIMIT 1;

-- line: commit_first_seen
SELECT MIN(known_from) FROM source_commit WHERE line_id = :line_id AND sha = :sha;

-- dictionary: get_identity
SELECT kind, subject, key_fpr, issuer FROM identity WHERE identity_id = :identity_id;

-- dictionary: get_cluster
SELECT name, region FROM cluster WHERE cluster_id = :cluster_id;

-- dictionary: get_predicate
SELECT uri FROM predicate WHERE predicate_id = :predicate_id;

-- dictionary: get_advisory
SELECT name, doc, severity, withdrawn, known_from FROM advisory WHERE advisory_id = :advisory_id;

-- dictionary: get_advisory_at
SELECT name, doc, severity, withdrawn, known_from FROM advisory WHERE advisory_id = :advisory_id AND known_from <= :known
UNION ALL
SELECT a.name, p.doc, p.severity, p.withdrawn, p.known_from FROM advisory_past p JOIN advisory a ON a.advisory_id = p.advisory_id
WHERE p.advisory_id = :advisory_id AND p.known_from <= :known AND p.known_until > :known;

-- dictionary: find_advisories
SELECT advisory_id FROM advisory WHERE name = :name
UNION
SELECT advisory_id FROM advisory_alias WHERE alias = :name;

-- dictionary: get_fixed
SELECT fixed FROM affects WHERE pkg_id = :pkg_id AND advisory_id = :advisory_id AND known_from <= :known
  AND (known_until IS NULL OR known_until > :known);

-- estate: find_named
SELECT line_id, seq FROM release WHERE product = :product AND version = :version ORDER BY built_at DESC, known_from DESC;
