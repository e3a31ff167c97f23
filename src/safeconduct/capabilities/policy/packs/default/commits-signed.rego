# METADATA
# title: Every commit is signed by a trusted key
# description: >
#   A commit that nobody signed, or that a key signed which the trust store does not know for commits in this
#   repository, could have been written by anybody.
# custom:
#   id: commits-signed
#   severity: high
#   facts: [source]
#   remedy: "sign it: git commit --amend -S --no-edit (for older ones: git rebase --exec 'git commit --amend -S --no-edit' COMMIT^)"
package safeconduct.commits_signed

import rego.v1

refused := {"unsigned", "untrusted", "invalid"}

deny contains reason if {
	some commit in input.source.commits
	commit.state in refused
	reason := {
		"subject": commit.id,
		"message": sprintf("commit %s (%s) by %s: %s", [substring(commit.id, 0, 9), commit.subject, commit.author, commit.problem]),
	}
}

unknown contains reason if {
	some commit in input.source.commits
	commit.state == "unknown"
	reason := {
		"subject": commit.id,
		"message": sprintf("commit %s (%s): %s", [substring(commit.id, 0, 9), commit.subject, commit.problem]),
		"remedy": "name the operator's trust snapshot and root: settings trust.snapshot and trust.root",
	}
}

unknown contains reason if {
	count(input.source.commits) == 0
	reason := {"message": "there is no commit to judge"}
}
