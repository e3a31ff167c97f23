-- What the graph holds about releases that are to be judged again.

-- line: documents_of_release
SELECT doc, MIN(known_from) FROM attestation WHERE line_id = :line_id AND seq = :seq GROUP BY doc ORDER BY doc;

-- estate: releases_running
SELECT DISTINCT line_id, seq FROM deployment WHERE until IS NULL ORDER BY line_id, seq;

-- estate: release_heads
SELECT line_id, head_seq FROM line WHERE kind = 'artifact' AND head_seq > 0 ORDER BY line_id;

-- line: name_release
SELECT r.digest, r.product, r.version, l.natural_key
FROM release r JOIN line l ON l.line_id = r.line_id
WHERE r.line_id = :line_id AND r.seq = :seq;

-- line: commits_seen
SELECT sha, MIN(known_from) FROM source_commit WHERE line_id = :line_id GROUP BY sha;

-- digest: find_line
SELECT line_id FROM line_key WHERE sha256 = :sha256;
