# METADATA
# title: SBOM, provenance and scan are there and about this image
# description: >
#   Without them nobody can say what is inside. Where one is missing and another image's stands in its place, that is
#   a lie and denies; where it is only missing, the gate could not tell.
# custom:
#   id: evidence-complete
#   severity: high
#   facts: [evidence]
#   remedy: "publish the release again with all its evidence: safeconduct publish"
package safeconduct.evidence_complete

import rego.v1

# What people call the predicate types.
names := {
	"https://sigstore.dev/cosign/sign/v1": "signature",
	"https://cyclonedx.org/bom": "SBOM",
	"https://slsa.dev/provenance/v1": "provenance",
	"https://in-toto.io/attestation/vulns/v0.2": "vulnerability scan",
}

name(kind) := object.get(names, kind, kind)

# A missing signature is image-signed's matter, which denies.
signature := "https://sigstore.dev/cosign/sign/v1"

missing contains wanted if {
	some wanted in input.parameters.required_predicates
	wanted != signature
	not wanted in input.evidence.predicates
}

deny contains reason if {
	some wanted in missing
	some document in input.evidence.refused
	document.claimed_type == wanted
	reason := {"subject": input.evidence.digest, "message": sprintf("the %s beside it was refused: %s", [name(wanted), document.problem])}
}

unknown contains reason if {
	some wanted in missing
	every document in input.evidence.refused { document.claimed_type != wanted }
	reason := {"subject": input.evidence.digest, "message": sprintf("there is no %s beside it", [name(wanted)])}
}

unknown contains reason if {
	not input.evidence.complete
	reason := {"subject": input.evidence.digest, "message": sprintf("its evidence could not be read: %s", [input.evidence.problem])}
}
