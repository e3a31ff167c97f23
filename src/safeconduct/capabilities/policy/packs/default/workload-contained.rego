# METADATA
# title: The workload stays in its containers
# description: Privileged containers, host namespaces and host paths let a container act on its node.
# custom:
#   id: workload-contained
#   severity: high
#   facts: [workload]
#   remedy: remove the setting from the Pod's spec
package safeconduct.workload_contained

import rego.v1

deny contains reason if {
	some danger in input.workload.dangers
	reason := {"subject": sprintf("%s/%s", [input.workload.namespace, input.workload.name]), "message": danger}
}
