# METADATA
# title: The image is signed by a trusted builder
# description: An image that no trusted builder key signed may come from anywhere.
# custom:
#   id: image-signed
#   severity: critical
#   facts: [evidence]
#   remedy: "deploy a release that was built and signed: safeconduct build, safeconduct publish"
package safeconduct.image_signed

import rego.v1

signature := "https://sigstore.dev/cosign/sign/v1"

deny contains reason if {
	input.evidence.complete
	not signature in input.evidence.predicates
	reason := {"subject": input.evidence.digest, "message": sprintf("no trusted key signed %s: %d documents beside it, none is its signature%s", [
		substring(input.evidence.digest, 0, 19), count(input.evidence.predicates) + count(input.evidence.refused), refused,
	])}
}

unknown contains reason if {
	not input.evidence.complete
	reason := {
		"subject": input.evidence.digest,
		"message": sprintf("its evidence could not be read: %s", [input.evidence.problem]),
		"remedy": "see that the registry answers, then try again",
	}
}

refused := sprintf(" (%s)", [concat("; ", {r.problem | some r in input.evidence.refused})]) if count(input.evidence.refused) > 0

refused := "" if count(input.evidence.refused) == 0
