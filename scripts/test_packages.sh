#!/bin/sh
# Debian packages that only the integration tests need. Installed as root on Debian; elsewhere the tests that need
# them are skipped with one line each.
set -u
wanted=""
command -v docker-registry >/dev/null 2>&1 || wanted="$wanted docker-registry"
command -v gpg >/dev/null 2>&1 && command -v gpgconf >/dev/null 2>&1 || wanted="$wanted gnupg"
[ -n "$wanted" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $wanted) \
        >/dev/null 2>&1 || echo "not installed:$wanted (their tests will be skipped)" >&2
else
    echo "not installed:$wanted (their tests will be skipped; as root: apt-get install$wanted)" >&2
fi
exit 0
