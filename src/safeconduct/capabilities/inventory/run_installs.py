"""What a Dockerfile's ``RUN`` installs through package managers: names, versions and how firmly these are pinned.

Source: the manuals of apt-get, apk, dnf, yum, zypper, pip, npm, gem, go, cargo, dotnet, winget and choco. Nothing is
executed; a name with a variable in it is left out, a version with one stays unresolved.
"""

import re
from collections.abc import Callable, Iterator

import msgspec

from safeconduct.capabilities.inventory.go_modules import go_purl
from safeconduct.capabilities.inventory.npm_spec import find_declaration
from safeconduct.capabilities.inventory.python_requirement import parse_wish
from safeconduct.capabilities.inventory.shell_words import commands
from safeconduct.model.purl import Purl, make_purl

NONE, RANGE, EXACT, HASHED = 0, 1, 2, 3
_LOCAL = (".", "/", "~", "http:", "https:", "file:", "git+")
_CONSTRAINT = re.compile(r"([^=<>~!]*)([=<>~!]*)(.*)", re.DOTALL)
_NAME = re.compile(r"@?[A-Za-z0-9][A-Za-z0-9@._+:/-]*")


class Install(msgspec.Struct, frozen=True):
    """One package that a command installs; ``requirement`` is None when the version is exact."""

    purl: str
    requirement: str | None
    grade: int


def installs(line: str) -> Iterator[Install]:
    """Yield what a shell line installs, in its order."""
    for command in commands(line):
        yield from _of_command(command)


def _of_command(words: list[str]) -> Iterator[Install]:
    program, rest = words[0].rpartition("/")[2].removesuffix(".exe"), words[1:]
    if re.fullmatch(r"python[\d.]*", program) and rest[:2] == ["-m", "pip"]:
        program, rest = "pip", rest[2:]
    if program == "uv" and rest[:1] == ["pip"]:
        program, rest = "pip", rest[1:]
    program = "pip" if re.fullmatch(r"pip[\d.]*", program) else program
    tool = _TOOLS.get(program)
    if tool is None:
        return
    verb = next((n for n, word in enumerate(rest) if word in tool.verbs), None)
    if verb is None:
        return
    before, options = rest[:verb], rest[verb + 1 :]
    known = (word.startswith("-") or word in tool.lead or rest[n - 1] in tool.valued for n, word in enumerate(before))
    if not all(known):
        return  # another verb came first: "apt-get remove install"
    yield from tool.read(options, tool)


def _names(words: list[str], valued: frozenset[str]) -> Iterator[str]:
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word.startswith(("-", ">", "<", "2>")):
            skip = word in valued
        elif _NAME.match(word) and not word.startswith(_LOCAL) and "$" not in word.partition("=")[0]:
            yield word


class _Tool(msgspec.Struct, frozen=True):
    verbs: frozenset[str]
    read: Callable[[list[str], "_Tool"], Iterator[Install]]
    kind: str = ""
    space: str = ""
    valued: frozenset[str] = frozenset()
    """Options whose value is the next word."""
    lead: frozenset[str] = frozenset()
    """Words that may stand before the verb."""


def _exact(version: str) -> bool:
    return bool(version) and not set(version) & set("*$<>~^")


def _system(words: list[str], tool: _Tool) -> Iterator[Install]:
    """apt, apk and zypper: ``name=version``."""
    for word in _names(words, tool.valued):
        name, operator, version = _CONSTRAINT.findall(word)[0]
        name, _, release = name.partition("/")
        plain = name.partition(":")[0] if tool.kind == "deb" else name
        exact = version if operator == "=" and _exact(version) else ""
        requirement = None if exact else operator.lstrip("=") + version or release
        purl = str(Purl(tool.kind, tool.space, plain, exact))
        yield Install(purl, requirement, EXACT if exact else RANGE if requirement else NONE)


def _rpm(words: list[str], tool: _Tool) -> Iterator[Install]:
    """Dnf and yum: ``name-version[-release][.arch]``."""
    for word in _names(words, tool.valued):
        if word.startswith("@") or word.endswith(".rpm"):
            continue
        found = re.fullmatch(r"(.+?)-((?:\d+:)?\d[\w.+~^]*(?:-[\w.+~^]+)?)", word)
        name, version = (found[1], found[2]) if found and _exact(found[2]) else (word, "")
        yield Install(str(Purl("rpm", tool.space, name, version)), None if version else "", EXACT if version else NONE)


def _pip(words: list[str], tool: _Tool) -> Iterator[Install]:
    for word in words_of_pip(words, tool.valued):
        try:
            wish = parse_wish(word)
        except ValueError:
            continue
        yield Install(wish.purl, wish.requirement, wish.grade)


def words_of_pip(words: list[str], valued: frozenset[str]) -> Iterator[str]:
    """Yield the requirements among pip's words: version operators may stand in them."""
    skip = False
    for word in words:
        if skip or word.startswith(("-", ".", "/", ">", "<", "$", "http", "git+")):
            skip = not skip and word in valued
        elif "$" in word:
            yield re.split(r"[=<>!~]", word)[0].partition("$")[0]
        elif not word.endswith((".whl", ".tar.gz", ".zip")):
            yield word


def _npm(words: list[str], tool: _Tool) -> Iterator[Install]:
    for word in _names(words, tool.valued):
        at = word.find("@", 1)
        name, written = (word, "") if at < 0 else (word[:at], word[at + 1 :])
        found = find_declaration(name, written if "$" not in written else "")
        if found:
            yield Install(found.purl, found.requirement, found.grade)


def _go(words: list[str], tool: _Tool) -> Iterator[Install]:
    for word in _names(words, tool.valued):
        module, at, version = word.partition("@")
        if at and "." in module.partition("/")[0]:
            exact = version if re.fullmatch(r"v\d+\.\d+\.\d+[\w.+-]*", version) else ""
            grade = HASHED if exact else NONE if version == "latest" else RANGE
            # The checksum database holds the hash of every version of a public module.
            yield Install(go_purl(module, exact), None if exact else version, grade)


def _versioned(words: list[str], tool: _Tool) -> Iterator[Install]:
    """gem, cargo, dotnet, winget, choco: one option gives the version, or ``name@version`` and ``name:version``."""
    options = _options(words)
    version = next((value for name, value in options if name in {"--version", "--vers", "-v"}), "").lstrip("=")
    named = [value for name, value in options if name == "--id"]
    names = named or [word for word in _names(words, tool.valued) if not word.startswith("-")]
    for word in names[:1] if version else names:
        name, _, own = re.sub(r"(?<=.)[@:](?=v?\d)", "\0", word, count=1).partition("\0")
        exact = (own or version) if _exact(own or version) else ""
        requirement = None if exact else own or version
        purl = (
            str(Purl(tool.kind, tool.space, name, exact))
            if tool.kind == "winget"
            else make_purl(tool.kind, name, exact)
        )
        yield Install(purl, requirement, EXACT if exact else RANGE if requirement else NONE)


def _options(words: list[str]) -> list[tuple[str, str]]:
    found = []
    for number, word in enumerate(words):
        name, equals, value = word.partition("=")
        if word.startswith("-"):
            found.append((name, value if equals else words[number + 1] if number + 1 < len(words) else ""))
    return found


_INSTALL = frozenset({"install"})
_APT = _Tool(_INSTALL, _system, "deb", "debian", frozenset({"-t", "-o", "-c", "--target-release", "--option"}))
_DNF = _Tool(frozenset({"install", "reinstall"}), _rpm, "rpm", "", frozenset({"-c", "--repo", "--installroot"}))
_NPM = _Tool(frozenset({"install", "i", "add"}), _npm, "npm", "", frozenset({"--prefix", "--registry", "-C", "--cwd"}))
_VALUED = frozenset({"--version", "--vers", "-v", "--source", "-s", "--root", "--git", "--registry", "--id", "-i",
                     "--install-dir", "--features", "--index", "--scope", "--add-source", "--tool-path"})  # fmt: skip
_TOOLS: dict[str, _Tool] = {
    "apt-get": _APT,
    "apt": _APT,
    "aptitude": _APT,
    "apk": _Tool(
        frozenset({"add"}), _system, "apk", "alpine",
        frozenset({"-t", "--virtual", "-X", "--repository", "-p", "--root"}),
    ),
    "zypper": _Tool(frozenset({"install", "in"}), _system, "rpm", "opensuse", frozenset({"-r", "--repo"})),
    "dnf": _DNF,
    "yum": _DNF,
    "microdnf": _DNF,
    "tdnf": _DNF,
    "pip": _Tool(
        _INSTALL, _pip, "pypi", "",
        frozenset({"-r", "--requirement", "-c", "--constraint", "-i", "--index-url", "--extra-index-url", "-e",
                   "--editable", "-t", "--target", "--prefix", "-f", "--find-links", "--trusted-host", "--root"}),
    ),
    "npm": _NPM,
    "pnpm": _NPM,
    "yarn": msgspec.structs.replace(_NPM, verbs=frozenset({"add"}), lead=frozenset({"global"})),
    "gem": _Tool(_INSTALL, _versioned, "gem", "", _VALUED),
    "go": _Tool(frozenset({"install", "get"}), _go, "golang", "", frozenset({"-ldflags", "-tags", "-mod"})),
    "cargo": _Tool(_INSTALL, _versioned, "cargo", "", _VALUED),
    "dotnet": _Tool(frozenset({"install", "package"}), _versioned, "nuget", "", _VALUED, frozenset({"tool", "add"})),
    "winget": _Tool(_INSTALL, _versioned, "winget", "", _VALUED),
    "choco": _Tool(_INSTALL, _versioned, "chocolatey", "", _VALUED),
}  # fmt: skip
