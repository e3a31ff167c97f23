#!/bin/sh
# Makes .venv from uv.lock. Says the one command to type where something is missing.
set -eu

missing() {
    echo "safeconduct: $1 is missing or too old ($2)" >&2
    echo "  next: $3" >&2
    exit 2
}

at_least() { # at_least WANTED FOUND
    [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}

python=""
for candidate in "${PYTHON_FOR_VENV:-}" python3.13 python3.12 python3.11 python3; do
    if [ -n "$candidate" ] && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] || missing "Python 3.11" "none found" "apt-get install python3 python3-venv"

git_version=$(git --version 2>/dev/null | sed 's/[^0-9]*\([0-9.]*\).*/\1/') || git_version=""
[ -n "$git_version" ] && at_least 2.34 "$git_version" || missing "git 2.34" "found: ${git_version:-none}" "apt-get install git"

command -v ssh-keygen >/dev/null 2>&1 || missing "OpenSSH 8.2" "no ssh-keygen" "apt-get install openssh-client"

"$python" -c 'import ensurepip, venv' 2>/dev/null || missing "Python's venv module" "$python" "apt-get install python3-venv"

echo "setting up .venv with $("$python" --version) ..." >&2
[ -x .venv/bin/python ] || "$python" -m venv .venv
.venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip >/dev/null
.venv/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9' 'pip>=23'
UV_PROJECT_ENVIRONMENT=.venv .venv/bin/uv sync --quiet --frozen --inexact --python .venv/bin/python
touch .venv/ready
