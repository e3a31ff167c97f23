# METADATA
# title: The whole history could be read
# description: A shallow or partial clone hides commits; what is hidden cannot be vouched for.
# custom:
#   id: history-complete
#   severity: high
#   facts: [source]
#   remedy: git fetch --unshallow
package safeconduct.history_complete

import rego.v1

deny contains reason if {
	input.source.head == ""
	reason := {"message": "no commit is checked out"}
}

unknown contains reason if {
	not input.source.complete
	reason := {"subject": input.source.head, "message": "the history is cut off: not every commit is here"}
}
