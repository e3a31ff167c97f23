-- What the operator sets: trust snapshots, policies in force, exemptions.

-- dictionary: add_trust
INSERT INTO trust (version, doc, known_from) VALUES (:version, :doc, :at) ON CONFLICT DO NOTHING;

-- dictionary: highest_trust
SELECT version, doc FROM trust ORDER BY version DESC LIMIT 1;

-- dictionary: add_revocation
INSERT INTO revocation (version, key_fpr, reason, since) VALUES (:version, :key_fpr, :reason, :since) ON CONFLICT DO NOTHING;

-- dictionary: revocations_of_version
SELECT key_fpr, since FROM revocation WHERE version = :version;

-- dictionary: active_policy
SELECT policy FROM policy_active WHERE scope = :scope ORDER BY known_from DESC LIMIT 1;

-- dictionary: add_policy
INSERT INTO policy_active (scope, known_from, policy) VALUES (:scope, :at, :policy);

-- dictionary: find_exemption
SELECT known_until FROM exemption WHERE doc = :doc;

-- dictionary: add_exemption
INSERT INTO exemption (doc, scope, rule, valid_until, known_from, known_until)
VALUES (:doc, :scope, :rule, :valid_until, :at, NULL);

-- dictionary: identities_of_key
SELECT identity_id FROM identity WHERE key_fpr = :key_fpr;

-- estate: digests_signed_by
SELECT DISTINCT r.digest
FROM verification v
JOIN attestation a ON a.line_id = v.line_id AND a.doc = v.doc
JOIN release r ON r.line_id = a.line_id AND r.seq = a.seq
WHERE v.identity_id = :identity_id;

-- estate: digests_from_commits_of
SELECT DISTINCT c.sha FROM source_commit c WHERE c.identity_id = :identity_id;

-- estate: digests_of_commit
SELECT digest FROM release WHERE commit_sha = :sha;

-- estate: digests_with_package
SELECT DISTINCT r.digest FROM span s JOIN release r ON r.line_id = s.line_id
WHERE s.pkg_id = :pkg_id AND r.seq >= s.first AND r.seq < s.last;

-- estate: artifact_lines
SELECT line_id, natural_key FROM line WHERE kind = 'artifact';

-- line: digests_of_line
SELECT digest FROM release WHERE line_id = :line_id;

-- dictionary: packages_of_name
SELECT p.pkg_id, p.version FROM pkgname n JOIN pkg p ON p.name_id = n.name_id WHERE n.purl_base = :purl_base;
