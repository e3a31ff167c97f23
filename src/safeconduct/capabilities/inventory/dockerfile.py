"""Dockerfiles: the images that ``FROM`` names, and the packages that ``RUN`` installs. Nothing is executed.

Source: Dockerfile reference, "Parser directives", "FROM", "Understand how ARG and FROM interact"; the image
reference grammar of the distribution project; purl type ``docker``.
"""

import re
import shlex
from collections.abc import Iterator

import msgspec

from safeconduct.capabilities.inventory.documents import decode_text
from safeconduct.capabilities.inventory.reading import Reading
from safeconduct.capabilities.inventory.run_installs import installs
from safeconduct.capabilities.inventory.yields import Yields
from safeconduct.model.component import Component, Hash, Location, Presence, Scope, Unread
from safeconduct.model.purl import Purl

READER = "dockerfile"
YIELDS = Yields(
    reader=READER,
    files=("Dockerfile*", "Containerfile*", "*.dockerfile"),
    ecosystem="deb, docker, pypi",
    evidence="declared",
    hashes=True,
    direct=True,
    scope=True,
    lines=True,
    note="also what RUN installs by apt, apk, dnf, yum, zypper, pip, npm, gem, go, cargo, dotnet, winget and choco",
)
NONE, RANGE, HASHED = 0, 1, 3

_ESCAPE = re.compile(r"#\s*escape\s*=\s*([`\\])\s*", re.IGNORECASE)
_DIRECTIVE = re.compile(r"#\s*\w+\s*=")
_FROM = re.compile(r"FROM\s+((?:--\S+\s+)*)(\S+)(?:\s+AS\s+(\S+))?\s*", re.IGNORECASE)
_RUN = re.compile(r"(?:ONBUILD\s+)?RUN\s+(?:--\S+\s+)*(.+)", re.IGNORECASE | re.DOTALL)
_ARG = re.compile(r"ARG\s+(.+)", re.IGNORECASE)
_ARG_PART = re.compile(r"([A-Za-z_]\w*)(?:=(\"[^\"]*\"|'[^']*'|\S*))?")
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?:(:?[-+])([^}]*))?\})")
_SCRIPT = re.compile(r"RUN\s+(?:--\S+\s+)*<<", re.IGNORECASE)
_HEREDOC = re.compile(r"<<-?\s*[\"']?(\w+)[\"']?")
IMAGE = re.compile(
    r"(?P<name>[a-z0-9A-Z.\-_/:]+?)(?::(?P<tag>[\w][\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_HUB = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})


class Stage(msgspec.Struct, frozen=True):
    """One ``FROM``: the line it stands in, its image after the variables, and the name that it gives."""

    line: int
    image: str
    written: str
    name: str


def is_dockerfile(name: str) -> bool:
    """Return whether a file's name is one that builders look for."""
    return name.startswith(("Dockerfile", "Containerfile")) or name.endswith((".dockerfile", ".Dockerfile"))


def read(path: str, data: bytes) -> Reading:
    """Return the base images; stages of the same file and ``scratch`` are none."""
    components: list[Component] = []
    unread: list[Unread] = []
    instructions = list(_instructions(decode_text(data)))
    stages = list(_stages(instructions))
    for number, stage in enumerate(stages):
        if _is_exempt(stages, number):
            continue
        component = _component(path, stage, _scope_of(stages, number))
        if component is None:
            unread.append(Unread(f"{path}:{stage.line}", f"which image {stage.written!r} names cannot be told"))
        else:
            components.append(component)
    components += _installed(path, instructions)
    if not stages:
        unread.append(Unread(path, "a Dockerfile without a FROM instruction"))
    return Reading(components=tuple(components), unread=tuple(unread))


def _installed(path: str, instructions: list[tuple[int, str]]) -> Iterator[Component]:
    """Yield what RUN lines install; in the stage that becomes the image it runs, in others it only builds."""
    last = max((n for n, (_, line) in enumerate(instructions) if _FROM.fullmatch(line)), default=-1)
    for number, (line, instruction) in enumerate(instructions):
        found = _RUN.fullmatch(instruction)
        for item in installs(_shell(found[1])) if found else ():
            yield Component(
                purl=item.purl,
                presence=Presence.DECLARED if item.requirement is None else Presence.UNRESOLVED,
                locations=(Location(path, READER, line),),
                scope=Scope.RUNTIME if number > last else Scope.BUILD,
                direct=True,
                requirement=item.requirement,
                grade=item.grade,
            )


def _shell(written: str) -> str:
    """Return a shell line for both forms of RUN; the list form is quoted word by word."""
    if not written.startswith("["):
        return written
    try:
        words = msgspec.json.decode(written, type=list[str])
    except msgspec.DecodeError:
        return written
    is_shell = len(words) > 2 and words[1] in {"-c", "-lc", "-Command"}  # noqa: PLR2004 - shell, option, line
    return words[2] if is_shell else shlex.join(words)


def _is_exempt(stages: list[Stage], number: int) -> bool:
    return stages[number].image == "scratch" or _earlier(stages, number) is not None


def _earlier(stages: list[Stage], number: int) -> int | None:
    """Return the earlier stage that this one builds on, None when it builds on an image."""
    wanted = stages[number].image.lower()
    return next((n for n in reversed(range(number)) if stages[n].name == wanted), None)


def _scope_of(stages: list[Stage], number: int) -> Scope:
    """Return runtime for the image under the last stage; the others only take part in the build."""
    root = len(stages) - 1
    while (below := _earlier(stages, root)) is not None:
        root = below
    return Scope.RUNTIME if root == number else Scope.BUILD


def _instructions(text: str) -> Iterator[tuple[int, str]]:
    """Yield (line, instruction) with continuations joined and comments left out.

    A here-document that RUN executes stands in place of its mark; others are files and are left out.
    """
    lines = text.splitlines()
    escape = _escape_of(lines)
    numbered = iter(enumerate(lines, 1))
    parts: list[str] = []
    number = 0
    for count, raw in numbered:
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        number = number if parts else count
        parts.append(line.removesuffix(escape).strip())
        if not line.endswith(escape):
            instruction, parts = " ".join(parts), []
            body = _heredoc(instruction, numbered)
            is_script = body and _SCRIPT.match(instruction)
            yield number, "RUN " + "\n".join(body) if is_script else instruction
    if parts:
        yield number, " ".join(parts)


def _heredoc(instruction: str, lines: Iterator[tuple[int, str]]) -> list[str]:
    """Return the lines of the here-documents that an instruction opens, and move past them."""
    marks = _HEREDOC.findall(instruction) if instruction[:4].upper() in {"RUN ", "COPY", "ADD "} else []
    body: list[str] = []
    for mark in marks:
        for _, raw in lines:
            if raw.strip() == mark:
                break
            body.append(raw.strip())
    return body


def _escape_of(lines: list[str]) -> str:
    for line in lines:
        if found := _ESCAPE.fullmatch(line.strip()):
            return found[1]
        if not _DIRECTIVE.match(line.strip()):
            break
    return "\\"


def _stages(instructions: list[tuple[int, str]]) -> Iterator[Stage]:
    arguments: dict[str, str] = {}
    begun = False
    for number, instruction in instructions:
        if (declared := _ARG.fullmatch(instruction)) and not begun:
            # Only an ARG before the first FROM counts in a FROM.
            for name, value in _ARG_PART.findall(declared[1]):
                arguments[name] = substitute(value.strip("\"'"), arguments) if value else arguments.get(name, "")
        elif found := _FROM.fullmatch(instruction):
            begun = True
            yield Stage(number, substitute(found[2], arguments), found[2], (found[3] or "").lower())


def substitute(text: str, values: dict[str, str]) -> str:
    """Return ``text`` with its variables replaced; one without a value stays as written."""

    def value_of(found: re.Match[str]) -> str:
        value = values.get(found[1] or found[2], "")
        if found[3] and "+" in found[3]:
            return found[4] if value else ""
        if not value and found[3]:
            return substitute(found[4], values)
        return value or found[0]

    return _VARIABLE.sub(value_of, text)


def _component(path: str, stage: Stage, scope: Scope) -> Component | None:
    known, open_variable, _ = stage.image.partition("$")
    parsed = IMAGE.fullmatch(known.rstrip(":@"))
    if parsed is None or (open_variable and not known.endswith((":", "@"))):
        return None
    digest, tag = parsed["digest"] or "", parsed["tag"] or ""
    requirement = stage.image if open_variable else tag
    return Component(
        purl=image_purl(parsed["name"], digest),
        presence=Presence.DECLARED if digest else Presence.UNRESOLVED,
        locations=(Location(path, READER, stage.line),),
        scope=scope,
        direct=True,
        requirement=None if digest else requirement,
        grade=HASHED if digest else (NONE if open_variable or requirement in {"", "latest"} else RANGE),
        hashes=(Hash("sha256", digest[7:]),) if digest else (),
    )


def image_purl(name: str, digest: str) -> str:
    """Return the purl of an image repository; other registries than Docker's stand in ``repository_url``."""
    head, _, rest = name.partition("/")
    is_host = bool(rest) and ("." in head or ":" in head or head == "localhost")
    host, repository = (head, rest) if is_host else ("", name)
    if host in _HUB:
        host = ""
    if not host:
        repository = repository.removeprefix("library/")
    namespace, _, last = repository.rpartition("/")
    qualifiers = (("repository_url", host),) if host else ()
    return str(Purl("docker", namespace, last, digest, qualifiers))
