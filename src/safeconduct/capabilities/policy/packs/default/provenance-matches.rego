# METADATA
# title: The provenance names this repository and an accepted builder
# description: Provenance of another product, or by a builder that the operator does not accept, proves nothing here.
# custom:
#   id: provenance-matches
#   severity: high
#   facts: [evidence, product]
#   remedy: build it with an accepted builder; the operator lists them in policy.parameters.builders
package safeconduct.provenance_matches

import rego.v1

deny contains reason if {
	some provenance in input.evidence.provenance
	provenance.repository != input.product.repository
	reason := {"subject": input.evidence.digest, "message": sprintf("its provenance is for %s, not for %s", [provenance.repository, input.product.repository])}
}

deny contains reason if {
	some provenance in input.evidence.provenance
	not provenance.builder in input.parameters.builders
	reason := {"subject": input.evidence.digest, "message": sprintf("it was built by %s, which is not accepted", [provenance.builder])}
}
