-- Reading the directories by digest.

-- digest: find_digest
SELECT line_id, seq, epoch FROM digest WHERE digest = :digest;

-- digest: find_aliases
SELECT line_id, seq, relation FROM digest_alias WHERE digest = :digest ORDER BY line_id, seq;

-- line: digest_of_release
SELECT digest FROM release WHERE line_id = :line_id AND seq = :seq;

-- digest: find_verdict
SELECT v.outcome, v.valid_until, v.decision, v.epoch, d.epoch
FROM verdict v JOIN digest d ON d.digest = v.digest
WHERE v.digest = :digest AND v.scope = :scope AND v.policy = :policy AND v.trust_version = :trust_version
  AND (v.epoch = d.epoch OR (v.epoch >= d.grace AND d.rejudge_by > :now))
  AND (v.valid_until = 0 OR v.valid_until > :now);
