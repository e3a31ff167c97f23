# METADATA
# title: No component is under a denied licence
# description: Licences that the operator denies may not be in what is released.
# custom:
#   id: licenses-allowed
#   severity: medium
#   facts: [licenses]
#   remedy: replace the component, or have the operator allow its licence
package safeconduct.licenses_allowed

import rego.v1

deny contains reason if {
	some license in input.licenses
	some key in license.keys
	key in input.parameters.denied_licenses
	reason := {"subject": license.component, "message": sprintf("%s is under %s", [license.component, license.expression])}
}

deny contains reason if {
	input.parameters.unknown_license == "deny"
	some license in input.licenses
	not license.known
	reason := {"subject": license.component, "message": sprintf("%s has no readable licence", [license.component])}
}

unknown contains reason if {
	input.parameters.unknown_license == "undecided"
	some license in input.licenses
	not license.known
	reason := {"subject": license.component, "message": sprintf("%s has no readable licence", [license.component])}
}
