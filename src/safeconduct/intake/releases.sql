-- Releases: rows of the newest generation, and what a correction replaced.

-- line: add_release
INSERT INTO release (line_id, seq, digest, inventory_doc, inventory_rank, graph, commit_sha, provenance_doc, product, version, built_at, known_from, gen)
VALUES (:line_id, :seq, :digest, :inventory_doc, :inventory_rank, :graph, :commit_sha, :provenance_doc, :product, :version, :built_at, :known_from, :gen);

-- line: get_release
SELECT inventory_doc, inventory_rank, graph, commit_sha, provenance_doc, built_at, gen FROM release
WHERE line_id = :line_id AND seq = :seq;

-- line: keep_past_release
INSERT INTO release_past (line_id, seq, gen, gen_end, inventory_doc, inventory_rank, graph, commit_sha, provenance_doc)
SELECT line_id, seq, gen, :gen_end, inventory_doc, inventory_rank, graph, commit_sha, provenance_doc FROM release
WHERE line_id = :line_id AND seq = :seq;

-- line: correct_release
UPDATE release SET inventory_doc = :inventory_doc, inventory_rank = :inventory_rank, graph = :graph,
  commit_sha = :commit_sha, provenance_doc = :provenance_doc, gen = :gen
WHERE line_id = :line_id AND seq = :seq;
