-- Erasure: the document's bytes go, that it was there stays.

-- digest: add_erased
INSERT INTO erased (doc, reason, known_from) VALUES (:doc, :reason, :at) ON CONFLICT DO NOTHING;

-- digest: is_erased
SELECT reason FROM erased WHERE doc = :doc;
