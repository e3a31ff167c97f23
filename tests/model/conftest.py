"""Referees: the tools of the ecosystems themselves, asked which of two versions is the newer one."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Pairs = list[tuple[str, str]]
Signs = list[int | None]
_RUBY = """require "json"
puts JSON.generate(JSON.parse($stdin.read).map { |a, b|
  Gem::Version.correct?(a) && Gem::Version.correct?(b) ? Gem::Version.new(a) <=> Gem::Version.new(b) : nil })"""
_PHP = """require "/usr/share/php/Composer/Semver/autoload.php"; use Composer\\Semver\\Comparator as C;
$parser = new Composer\\Semver\\VersionParser();
echo json_encode(array_map(function ($pair) use ($parser) {
  try { [$a, $b] = array_map([$parser, "normalize"], $pair); } catch (UnexpectedValueException $e) { return null; }
  return C::lessThan($a, $b) ? -1 : (C::greaterThan($a, $b) ? 1 : 0);
}, json_decode(stream_get_contents(STDIN))));"""
_NODE = """const semver = require(process.argv[1]);
console.log(JSON.stringify(JSON.parse(require("fs").readFileSync(0)).map(([a, b]) =>
  semver.valid(a, true) && semver.valid(b, true) ? semver.compare(a, b, true) : null)));"""
_R = """v <- readLines(file("stdin")); for (i in seq_len(length(v) / 2)) cat(compareVersion(v[2*i-1], v[2*i]), "")"""


def _json(command: list[str], pairs: Pairs) -> Signs:
    ended = subprocess.run(command, input=json.dumps(pairs), capture_output=True, text=True, check=True, timeout=60)
    found: Signs = json.loads(ended.stdout)
    return found


def _dpkg(pairs: Pairs) -> Signs:
    def holds(a: str, relation: str, b: str) -> bool:
        command = ["dpkg", "--compare-versions", a, relation, b]
        ended = subprocess.run(command, capture_output=True, timeout=10, check=False)
        assert ended.returncode < 2, ended.stderr
        return ended.returncode == 0

    return [-1 if holds(a, "lt", b) else 0 if holds(a, "eq", b) else 1 for a, b in pairs]


def _rpm(pairs: Pairs) -> Signs:
    found: Signs = []
    for part in (pairs[at : at + 400] for at in range(0, len(pairs), 400)):
        calls = " ".join(f'print(rpm.vercmp("{a}", "{b}") .. " ");' for a, b in part)
        ended = subprocess.run(["rpm", "--eval", f"%{{lua: {calls} }}"], capture_output=True, text=True, check=True)
        found += [int(word) for word in ended.stdout.split()]
    return found


def _npm(pairs: Pairs) -> Signs:
    npm = Path(shutil.which("npm") or "").resolve().parent.parent
    return _json(["node", "-e", _NODE, str(npm / "node_modules" / "semver")], pairs)


def _cran(pairs: Pairs) -> Signs:
    text = "".join(f"{a}\n{b}\n" for a, b in pairs)
    ended = subprocess.run(["Rscript", "-e", _R], input=text, capture_output=True, text=True, check=True, timeout=60)
    return [int(word) for word in ended.stdout.split()]


_REFEREES: dict[str, tuple[str, Callable[[Pairs], Signs]]] = {
    "deb": ("dpkg", _dpkg),
    "rpm": ("rpm", _rpm),
    "npm": ("npm", _npm),
    "gem": ("ruby", lambda pairs: _json(["ruby", "-e", _RUBY], pairs)),
    "composer": ("composer", lambda pairs: _json(["php", "-r", _PHP], pairs)),
    "cran": ("Rscript", _cran),
}


@pytest.fixture
def referee() -> Callable[[str, Pairs], Signs]:
    """Ask the tool of a purl type; -1, 0, 1, or None where it refuses a version. Skips where the tool is not here."""

    def ask(kind: str, pairs: Pairs) -> Signs:
        tool, judge = _REFEREES[kind]
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not here to say how versions of {kind} are ordered")
        return judge(pairs)

    return ask
