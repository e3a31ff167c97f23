-- Advisories taken in: the version in force, what it replaced, and the feeds.

-- dictionary: get_advisory
SELECT advisory_id, doc, severity, withdrawn, modified, known_from FROM advisory WHERE name = :name;

-- dictionary: add_advisory
INSERT INTO advisory (advisory_id, name, doc, severity, withdrawn, modified, known_from)
VALUES (:advisory_id, :name, :doc, :severity, :withdrawn, :modified, :at);

-- dictionary: keep_past_advisory
INSERT INTO advisory_past (advisory_id, known_from, known_until, doc, severity, withdrawn)
SELECT advisory_id, known_from, :at, doc, severity, withdrawn FROM advisory WHERE advisory_id = :advisory_id;

-- dictionary: replace_advisory
UPDATE advisory SET doc = :doc, severity = :severity, withdrawn = :withdrawn, modified = :modified, known_from = :at
WHERE advisory_id = :advisory_id;

-- dictionary: names_of_advisory
SELECT name_id FROM advisory_name WHERE advisory_id = :advisory_id;

-- dictionary: drop_names
DELETE FROM advisory_name WHERE advisory_id = :advisory_id;

-- dictionary: drop_ranges
DELETE FROM advisory_range WHERE name_id = :name_id AND advisory_id = :advisory_id;

-- dictionary: drop_listed
DELETE FROM advisory_listed WHERE name_id = :name_id AND advisory_id = :advisory_id;

-- dictionary: drop_alias
DELETE FROM advisory_alias WHERE alias = :alias AND advisory_id = :advisory_id;

-- dictionary: add_name
INSERT INTO advisory_name (advisory_id, name_id) VALUES (:advisory_id, :name_id) ON CONFLICT DO NOTHING;

-- dictionary: add_range
INSERT INTO advisory_range (name_id, lo, advisory_id, hi, fixed) VALUES (:name_id, :lo, :advisory_id, :hi, :fixed)
ON CONFLICT DO NOTHING;

-- dictionary: add_listed
INSERT INTO advisory_listed (name_id, version, advisory_id, fixed) VALUES (:name_id, :version, :advisory_id, :fixed)
ON CONFLICT DO NOTHING;

-- dictionary: add_alias
INSERT INTO advisory_alias (alias, advisory_id) VALUES (:alias, :advisory_id) ON CONFLICT DO NOTHING;

-- dictionary: same_feed
SELECT 1 FROM feed WHERE id = :id AND doc = :doc;

-- dictionary: put_feed
INSERT INTO feed (id, as_of, covers, license, attribution, source, doc, known_from)
VALUES (:id, :as_of, :covers, :license, :attribution, :source, :doc, :at)
ON CONFLICT (id) DO UPDATE SET as_of = excluded.as_of, covers = excluded.covers, license = excluded.license,
  attribution = excluded.attribution, source = excluded.source, doc = excluded.doc, known_from = excluded.known_from;
