-- Documents in a table of the store: content-addressed, verbatim, deflated.

-- digest: put_document
INSERT INTO blob (doc, media_type, size, zbytes) VALUES (:doc, :media_type, :size, :zbytes) ON CONFLICT DO NOTHING;

-- digest: get_document
SELECT size, zbytes FROM blob WHERE doc = :doc;

-- digest: has_document
SELECT 1 FROM blob WHERE doc = :doc;

-- digest: empty_document
UPDATE blob SET zbytes = NULL WHERE doc = :doc AND zbytes IS NOT NULL;

-- digest: has_bytes
SELECT zbytes IS NOT NULL FROM blob WHERE doc = :doc;
