-- Names to ids. What is interned is never changed, so the process may remember it.

-- dictionary: find_name
SELECT name_id FROM pkgname WHERE purl_base = :purl_base;

-- dictionary: add_name
INSERT INTO pkgname (name_id, purl_base) VALUES (:name_id, :purl_base) ON CONFLICT DO NOTHING;

-- dictionary: find_package
SELECT pkg_id FROM pkg WHERE name_id = :name_id AND version = :version AND qualifiers = :qualifiers;

-- dictionary: add_package
INSERT INTO pkg (pkg_id, name_id, version, qualifiers, vkey) VALUES (:pkg_id, :name_id, :version, :qualifiers, :vkey)
ON CONFLICT DO NOTHING;

-- dictionary: add_source
INSERT INTO pkg_source (pkg_id, name_id, version, vkey) VALUES (:pkg_id, :name_id, :version, :vkey) ON CONFLICT DO NOTHING;

-- dictionary: find_identity
SELECT identity_id FROM identity WHERE kind = :kind AND subject = :subject AND issuer = :issuer AND key_fpr = :key_fpr;

-- dictionary: add_identity
INSERT INTO identity (identity_id, kind, subject, issuer, key_fpr) VALUES (:identity_id, :kind, :subject, :issuer, :key_fpr)
ON CONFLICT DO NOTHING;

-- dictionary: find_cluster
SELECT cluster_id FROM cluster WHERE name = :name;

-- dictionary: add_cluster
INSERT INTO cluster (cluster_id, name, region) VALUES (:cluster_id, :name, :region) ON CONFLICT DO NOTHING;

-- dictionary: set_region
UPDATE cluster SET region = :region WHERE name = :name AND region = '';

-- dictionary: find_predicate
SELECT predicate_id FROM predicate WHERE uri = :uri;

-- dictionary: add_predicate
INSERT INTO predicate (predicate_id, uri) VALUES (:predicate_id, :uri) ON CONFLICT DO NOTHING;
