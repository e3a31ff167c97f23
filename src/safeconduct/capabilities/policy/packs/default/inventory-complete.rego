# METADATA
# title: Every manifest and lock file could be read
# description: A file that could not be read may name components that nobody looked at.
# custom:
#   id: inventory-complete
#   severity: high
#   facts: [inventory]
#   remedy: mend or remove the file, then run the command again
package safeconduct.inventory_complete

import rego.v1

deny contains reason if {
	some component in input.inventory.components
	component.purl == ""
	reason := {"subject": component.path, "message": sprintf("%s names a component without a name", [component.path])}
}

unknown contains reason if {
	some part in input.inventory.unread
	reason := {"subject": part[0], "message": sprintf("%s could not be read: %s", [part[0], part[1]])}
}
