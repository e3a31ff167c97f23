-- What was found beside a release, and what verification said of it.

-- line: find_attestation
SELECT 1 FROM attestation WHERE line_id = :line_id AND seq = :seq AND doc = :doc;

-- line: add_attestation
INSERT INTO attestation (line_id, doc, seq, predicate_id, source, known_from)
VALUES (:line_id, :doc, :seq, :predicate_id, :source, :at) ON CONFLICT DO NOTHING;

-- line: find_verification
SELECT 1 FROM verification WHERE line_id = :line_id AND doc = :doc AND trust_version = :trust_version;

-- line: add_verification
INSERT INTO verification (line_id, doc, trust_version, identity_id, outcome, signed_time, time_source, known_from)
VALUES (:line_id, :doc, :trust_version, :identity_id, :outcome, :signed_time, :time_source, :at) ON CONFLICT DO NOTHING;
