# METADATA
# title: The release gate approved it
# description: >
#   A summary signed by a gate key says that this digest passed the release gate for this repository, not too long
#   ago. A builder key cannot sign one.
# custom:
#   id: release-approved
#   severity: critical
#   facts: [evidence, product]
#   remedy: "take it through the release gate: safeconduct build"
package safeconduct.release_approved

import rego.v1

approvals contains summary if {
	some summary in input.evidence.summaries
	summary.passed
	summary.resource == input.product.repository
}

fresh contains summary if {
	some summary in approvals
	summary.age_days <= input.parameters.max_summary_age_days
}

deny contains reason if {
	input.evidence.complete
	count(approvals) == 0
	reason := {"subject": input.evidence.digest, "message": sprintf("no release gate approved it for %s%s", [input.product.repository, refused])}
}

deny contains reason if {
	count(approvals) > 0
	count(fresh) == 0
	reason := {"subject": input.evidence.digest, "message": sprintf("its approval is older than %d days", [input.parameters.max_summary_age_days])}
}

deny contains reason if {
	some summary in input.evidence.summaries
	not summary.passed
	summary.resource == input.product.repository
	reason := {"subject": input.evidence.digest, "message": "the release gate refused it"}
}

refused := sprintf(" (one was refused: %s)", [concat("; ", texts)]) if {
	texts := {r.problem | some r in input.evidence.refused; r.claimed_type == "https://slsa.dev/verification_summary/v1"}
	count(texts) > 0
}

refused := "" if {
	every r in input.evidence.refused { r.claimed_type != "https://slsa.dev/verification_summary/v1" }
}
