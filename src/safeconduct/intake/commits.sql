-- Commits of a source repository, and what verification said of their signatures.

-- line: find_commit
SELECT 1 FROM source_commit WHERE line_id = :line_id AND sha = :sha AND trust_version = :trust_version;

-- line: add_commit
INSERT INTO source_commit (line_id, sha, identity_id, author, state, trust_version, committed_at, doc, known_from)
VALUES (:line_id, :sha, :identity_id, :author, :state, :trust_version, :committed_at, :doc, :at);

-- digest: add_commit_line
INSERT INTO commit_line (sha, line_id) VALUES (:sha, :line_id) ON CONFLICT DO NOTHING;
