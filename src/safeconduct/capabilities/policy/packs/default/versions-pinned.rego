# METADATA
# title: Component versions are pinned
# description: >
#   A component whose version or content may change between two builds makes neither build repeatable. What counts
#   is a grade: 0 nothing, 1 a range or a tag, 2 an exact version, 3 an exact version with a hash, 4 with a verified
#   signature.
# custom:
#   id: versions-pinned
#   severity: medium
#   facts: [inventory]
#   remedy: "write exact versions with hashes: npm install --package-lock-only, uv lock, or pip-compile --generate-hashes"
package safeconduct.versions_pinned

import rego.v1

words := ["not pinned", "only a range or a tag", "exact version without a hash", "exact version with a hash"]

# How an installed copy was chosen is its lock file's matter, and a claim in a document has no pin of its own.
judged := {"locked", "declared", "unresolved"}

deny contains reason if {
	some component in input.inventory.components
	component.presence in judged
	component.grade < input.parameters.minimum_grade
	not component.scope in input.parameters.unpinned_scopes
	reason := {
		"subject": component.purl,
		"message": sprintf("%s %sin %s: %s", [component.purl, written(component), place(component), words[component.grade]]),
		"remedy": component.remedy,
	}
}

# Empty text and null count as true in Rego, so both are compared.
written(component) := sprintf("(%s) ", [component.requirement]) if component.requirement != ""

written(component) := "" if component.requirement == ""

place(component) := sprintf("%s:%d", [component.path, component.line]) if component.line != null

place(component) := component.path if component.line == null
