# METADATA
# title: The SBOM names components
# description: An SBOM without components passes every check on components; it says nothing and vouches for nothing.
# custom:
#   id: sbom-has-components
#   severity: high
#   facts: [evidence]
#   remedy: build again from a tree whose lock files can be read
package safeconduct.sbom_has_components

import rego.v1

deny contains reason if {
	input.evidence.sbom_components == 0
	reason := {"subject": input.evidence.digest, "message": "its SBOM names no component"}
}
