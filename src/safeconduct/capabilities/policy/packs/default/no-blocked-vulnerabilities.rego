# METADATA
# title: No component has a vulnerability of a blocked severity
# description: >
#   Severities that the operator blocks deny; so does every malicious package. A finding without any severity is a
#   level of its own, because most free advisory data has none.
# custom:
#   id: no-blocked-vulnerabilities
#   severity: critical
#   facts: [vulnerabilities]
#   remedy: raise the component to the fixed version, or replace it where no fix exists
package safeconduct.no_blocked_vulnerabilities

import rego.v1

deny contains reason if {
	some finding in input.vulnerabilities.findings
	blocked(finding)
	reason := {
		"subject": finding.component,
		"message": sprintf("%s: %s %s", [finding.component, finding.advisory, word(finding)]),
		"remedy": fix(finding),
	}
}

unknown contains reason if {
	input.parameters.unknown_severity == "undecided"
	some finding in input.vulnerabilities.findings
	finding.level == "unknown"
	not finding.malicious
	reason := {
		"subject": finding.component,
		"message": sprintf("%s: %s has no severity", [finding.component, finding.advisory]),
		"remedy": fix(finding),
	}
}

blocked(finding) if finding.level in input.parameters.blocked_levels

blocked(finding) if finding.malicious

blocked(finding) if {
	finding.level == "unknown"
	input.parameters.unknown_severity == "deny"
}

word(finding) := "malicious" if finding.malicious

word(finding) := finding.level if not finding.malicious

fix(finding) := sprintf("raise it to %s%s", [finding.fixed, via(finding)]) if finding.fixed != ""

fix(finding) := "no fixed version exists: replace or remove it" if finding.fixed == ""

via(finding) := sprintf(" (comes by %s)", [concat(" > ", finding.path)]) if count(finding.path) > 1

via(finding) := "" if count(finding.path) <= 1
