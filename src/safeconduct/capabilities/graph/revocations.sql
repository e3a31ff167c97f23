-- Keys that are believed no longer, as the trust snapshot in force says.

-- dictionary: revocations_in_force
SELECT key_fpr, reason, since FROM revocation
WHERE version = (SELECT MAX(t.version) FROM trust t WHERE t.known_from <= :known);
