# METADATA
# title: The release and its security artifacts are signed
# description: >
#   A release needs its signature, SBOM, provenance and vulnerability scan, each signed by a trusted builder key and
#   each about this very digest.
# custom:
#   id: artifacts-signed
#   severity: critical
#   facts: [evidence]
#   remedy: "build it with: safeconduct build, which signs all of them"
package safeconduct.artifacts_signed

import rego.v1

# What people call the predicate types.
names := {
	"https://sigstore.dev/cosign/sign/v1": "signature",
	"https://cyclonedx.org/bom": "SBOM",
	"https://slsa.dev/provenance/v1": "provenance",
	"https://in-toto.io/attestation/vulns/v0.2": "vulnerability scan",
}

name(kind) := object.get(names, kind, kind)

deny contains reason if {
	some wanted in input.parameters.required_predicates
	not wanted in input.evidence.predicates
	reason := {"subject": input.evidence.digest, "message": sprintf("no trusted %s beside it%s", [name(wanted), refusal(wanted)])}
}

unknown contains reason if {
	not input.evidence.complete
	reason := {"subject": input.evidence.digest, "message": sprintf("not all evidence could be read: %s", [input.evidence.problem])}
}

refusal(wanted) := sprintf(" (one was refused: %s)", [concat("; ", texts)]) if {
	texts := {r.problem | some r in input.evidence.refused; r.claimed_type == wanted}
	count(texts) > 0
}

refusal(wanted) := "" if {
	every r in input.evidence.refused { r.claimed_type != wanted }
}
