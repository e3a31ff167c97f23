-- Matching advisories and package versions, once, when either side is new; and the findings that follow along the lines.

-- dictionary: advisories_of_version
SELECT advisory_id, fixed FROM advisory_range
WHERE name_id = :name_id AND lo <= :vkey AND (hi IS NULL OR hi > :vkey);

-- dictionary: advisories_of_everything
SELECT advisory_id, fixed FROM advisory_range WHERE name_id = :name_id AND lo = :first_key AND hi IS NULL;

-- dictionary: advisories_of_listed
SELECT advisory_id, fixed FROM advisory_listed WHERE name_id = :name_id AND version = :version;

-- dictionary: add_affects
INSERT INTO affects (pkg_id, advisory_id, known_from, known_until, state, fixed)
VALUES (:pkg_id, :advisory_id, :at, NULL, :state, :fixed) ON CONFLICT DO NOTHING;

-- dictionary: close_affects
UPDATE affects SET known_until = :at WHERE pkg_id = :pkg_id AND advisory_id = :advisory_id AND known_until IS NULL;

-- dictionary: open_affects_of_advisory
SELECT pkg_id, fixed FROM affects WHERE advisory_id = :advisory_id AND known_until IS NULL;

-- dictionary: packages_in_range
SELECT pkg_id FROM pkg WHERE name_id = :name_id AND vkey >= :lo AND vkey < :hi
UNION ALL SELECT pkg_id FROM pkg_source WHERE name_id = :name_id AND vkey >= :lo AND vkey < :hi;

-- dictionary: packages_from
SELECT pkg_id FROM pkg WHERE name_id = :name_id AND vkey >= :lo
UNION ALL SELECT pkg_id FROM pkg_source WHERE name_id = :name_id AND vkey >= :lo;

-- dictionary: packages_without_key
SELECT pkg_id FROM pkg WHERE name_id = :name_id AND vkey IS NULL
UNION ALL SELECT pkg_id FROM pkg_source WHERE name_id = :name_id AND vkey IS NULL;

-- dictionary: packages_of_version
SELECT pkg_id FROM pkg WHERE name_id = :name_id AND version = :version
UNION ALL SELECT pkg_id FROM pkg_source WHERE name_id = :name_id AND version = :version;

-- line: add_findings_of_package
INSERT INTO fspan (line_id, last, pkg_id, advisory_id, first, known_from, known_until)
SELECT :line_id, :last, pkg_id, advisory_id, :first, :at, NULL
FROM affects WHERE pkg_id = :pkg_id AND known_until IS NULL ON CONFLICT DO NOTHING;

-- line: end_findings_of_package
UPDATE fspan SET last = :seq WHERE line_id = :line_id AND last = :last AND pkg_id = :pkg_id;

-- line: close_findings_of_span
UPDATE fspan SET known_until = :at
WHERE line_id = :line_id AND last = :last AND pkg_id = :pkg_id AND first = :first AND known_until IS NULL;

-- line: close_findings_of_advisory
UPDATE fspan SET known_until = :at
WHERE line_id = :line_id AND pkg_id = :pkg_id AND advisory_id = :advisory_id AND known_until IS NULL;

-- line: add_findings_of_advisory
INSERT INTO fspan (line_id, last, pkg_id, advisory_id, first, known_from, known_until)
SELECT line_id, last, pkg_id, :advisory_id, first, :at, NULL FROM span WHERE line_id = :line_id AND pkg_id = :pkg_id
ON CONFLICT DO NOTHING;

-- estate: lines_of_package
SELECT DISTINCT line_id FROM span WHERE pkg_id = :pkg_id;

-- estate: lines_of_advisory
SELECT DISTINCT line_id FROM fspan WHERE advisory_id = :advisory_id AND known_until IS NULL;

-- line: digests_of_package
SELECT DISTINCT r.digest FROM span s JOIN release r ON r.line_id = s.line_id
WHERE s.line_id = :line_id AND s.pkg_id = :pkg_id AND r.seq >= s.first AND r.seq < s.last;
