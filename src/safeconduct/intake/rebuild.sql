-- Reading a whole graph's documents and events, in order.

-- digest: all_documents
SELECT doc, media_type, zbytes IS NULL FROM blob ORDER BY doc;

-- digest: remember_document
INSERT INTO blob (doc, media_type, size, zbytes) VALUES (:doc, :media_type, 0, NULL) ON CONFLICT DO NOTHING;

-- estate: all_estate_events
SELECT n, at, kind, doc, body FROM estate_event ORDER BY n;

-- estate: all_events
SELECT l.natural_key, e.n, e.at, e.kind, e.doc, e.body FROM event e JOIN line l ON l.line_id = e.line_id;

-- estate: line_ends
SELECT natural_key, bucket, kind, head_seq, gen, event_n, changed_at FROM line ORDER BY natural_key;

-- estate: any_line
SELECT 1 FROM line LIMIT 1;

-- estate: any_estate_event
SELECT 1 FROM estate_event LIMIT 1;

-- digest: any_erasure
SELECT 1 FROM erased LIMIT 1;
