-- Lines and their events; the allocation of dictionary ids.

-- digest: find_line
SELECT line_id FROM line_key WHERE sha256 = :sha256;

-- digest: claim_line
INSERT INTO line_key (sha256, line_id) VALUES (:sha256, :line_id) ON CONFLICT DO NOTHING;

-- line: add_line
INSERT INTO line (line_id, bucket, kind, natural_key, head_seq, gen, event_n, changed_at)
VALUES (:line_id, :bucket, :kind, :natural_key, 0, 1, 0, 0) ON CONFLICT DO NOTHING;

-- line: get_line
SELECT natural_key, kind, head_seq, gen, event_n, changed_at FROM line WHERE line_id = :line_id;

-- line: save_line
UPDATE line SET head_seq = :head_seq, gen = :gen, event_n = :event_n, changed_at = :changed_at WHERE line_id = :line_id;

-- line: add_event
INSERT INTO event (line_id, n, at, kind, doc, body) VALUES (:line_id, :n, :at, :kind, :doc, :body);

-- line: add_generation
INSERT INTO line_gen (line_id, gen, known_from, reason, doc) VALUES (:line_id, :gen, :known_from, :reason, :doc);

-- estate: last_estate_event
SELECT n, at FROM estate_event ORDER BY n DESC LIMIT 1;

-- estate: add_estate_event
INSERT INTO estate_event (n, at, kind, doc, body) VALUES (:n, :at, :kind, :doc, :body);

-- dictionary: take_ids
INSERT INTO id_block (kind, next_id) VALUES (:kind, 1 + :count) ON CONFLICT (kind) DO UPDATE SET next_id = next_id + :count;

-- dictionary: next_id
SELECT next_id FROM id_block WHERE kind = :kind;
