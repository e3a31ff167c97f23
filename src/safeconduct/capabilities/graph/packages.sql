-- Packages by name, version or range; ids back to names.

-- dictionary: find_name
SELECT name_id FROM pkgname WHERE purl_base = :purl_base;

-- dictionary: packages_of_name
SELECT pkg_id, version, qualifiers, vkey FROM pkg WHERE name_id = :name_id;

-- dictionary: get_package
SELECT n.purl_base, p.version, p.qualifiers, p.vkey FROM pkg p JOIN pkgname n ON n.name_id = p.name_id WHERE p.pkg_id = :pkg_id;

-- estate: held_now
SELECT 1 FROM span WHERE pkg_id = :pkg_id LIMIT 1;
