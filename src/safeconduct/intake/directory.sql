-- The directories by digest: which line holds it, its epoch, its other names.

-- digest: claim_digest
INSERT INTO digest (digest, line_id, seq, epoch, rejudge_by, grace) VALUES (:digest, :line_id, NULL, 0, NULL, NULL)
ON CONFLICT DO NOTHING;

-- digest: fill_digest
UPDATE digest SET line_id = :line_id, seq = :seq WHERE digest = :digest;

-- digest: raise_digest
UPDATE digest SET
  grace = CASE WHEN rejudge_by IS NOT NULL AND rejudge_by > :at THEN grace ELSE epoch END,
  rejudge_by = CASE WHEN rejudge_by IS NOT NULL AND rejudge_by > :at AND rejudge_by < :rejudge_by
               THEN rejudge_by ELSE :rejudge_by END,
  epoch = epoch + 1
WHERE digest = :digest;

-- digest: add_alias
INSERT INTO digest_alias (digest, line_id, seq, relation) VALUES (:digest, :line_id, :seq, :relation)
ON CONFLICT DO NOTHING;

-- digest: put_verdict
INSERT INTO verdict (digest, scope, policy, trust_version, epoch, outcome, valid_until, decision)
VALUES (:digest, :scope, :policy, :trust_version, :epoch, :outcome, :valid_until, :decision)
ON CONFLICT (digest, scope, policy, trust_version) DO UPDATE SET
  epoch = excluded.epoch, outcome = excluded.outcome, valid_until = excluded.valid_until, decision = excluded.decision;
