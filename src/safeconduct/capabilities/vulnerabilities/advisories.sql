-- Reading the advisory tables. Lists of names and ids come as one JSON array, so that a whole inventory is one join.

-- dictionary: get_feeds
SELECT id, as_of, covers, license, attribution, source FROM feed ORDER BY id;

-- dictionary: get_ranges
SELECT n.purl_base, r.lo, r.hi, r.fixed, r.advisory_id
FROM json_each(:names) AS asked
CROSS JOIN pkgname AS n ON n.purl_base = asked.value
CROSS JOIN advisory_range AS r ON r.name_id = n.name_id;

-- dictionary: get_listed
SELECT n.purl_base, l.version, l.fixed, l.advisory_id
FROM json_each(:pairs) AS asked
CROSS JOIN pkgname AS n ON n.purl_base = json_extract(asked.value, '$[0]')
CROSS JOIN advisory_listed AS l ON l.name_id = n.name_id AND l.version = json_extract(asked.value, '$[1]');

-- dictionary: get_uncompared
SELECT n.purl_base, l.fixed, l.advisory_id
FROM json_each(:names) AS asked
CROSS JOIN pkgname AS n ON n.purl_base = asked.value
CROSS JOIN advisory_listed AS l ON l.name_id = n.name_id AND l.version = :any;

-- dictionary: get_advisories
SELECT a.advisory_id, a.name, a.doc, a.severity, a.withdrawn
FROM json_each(:ids) AS asked
CROSS JOIN advisory AS a ON a.advisory_id = asked.value;

-- dictionary: find_advisories
SELECT a.advisory_id FROM json_each(:words) AS asked CROSS JOIN advisory AS a ON a.name = asked.value
UNION
SELECT s.advisory_id FROM json_each(:words) AS asked CROSS JOIN advisory_alias AS s ON s.alias = asked.value;
