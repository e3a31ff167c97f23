# METADATA
# title: What is built is what was committed
# description: A build from a working tree with changes cannot be traced to a commit.
# custom:
#   id: source-clean
#   severity: high
#   facts: [source]
#   remedy: commit or remove the changes, then build again
package safeconduct.source_clean

import rego.v1

deny contains reason if {
	some path in input.source.dirty
	reason := {"subject": path, "message": sprintf("%s differs from the commit", [path])}
}
