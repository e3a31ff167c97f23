# ruff: noqa: INP001 - a script beside the package
"""Writes docs/reference from the code: what can be derived is never typed by hand.

python scripts/docs.py            write the pages
python scripts/docs.py --check    say which pages are not what the code says; exit 1 if there are any
"""

import ast
import enum
import importlib
import inspect
import pkgutil
import re
import sys
import types
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

from safeconduct.capabilities import inventory
from safeconduct.capabilities.inventory import readers
from safeconduct.capabilities.policy.pack import Pack
from safeconduct.capabilities.policy.store import find_pack
from safeconduct.cli.main import COMMANDS
from safeconduct.foundation.settings import Settings, TreeSettings

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "docs" / "reference"
_NOTE = "<!-- Written by `make docs` from the code. Change the code, not this page. -->\n"
_WIDTH = 100
_JSON = """\
With `--json` a command prints one document. Its first field is `schema`, `safeconduct/NAME/v1`: fields may be added to
a version, never renamed, removed or given another meaning. Lists stand under `items`. Whole numbers named `at`,
`since`, `…_at`, `known_since` and `valid_until` are microseconds since 1970; digests are `sha256:` and 64 hex digits.
`outcome` is the exit code: 0 passed, 1 denied, 3 could not tell. Wrong usage (exit code 2) that is found before a
command starts is told as text on standard error.
"""

ABOUT = {
    "store": "file of the graph; by default in the user's data folder",
    "trust.snapshot": "file of the signed trust snapshot",
    "trust.root": "fingerprints of the root keys that may sign it: the pin",
    "trust.threshold": "how many of them must have signed",
    "policy.pack": "`default`, or a folder; with a `/` in it (`./policy`) it is relative to this file",
    "policy.parameters": "values for the pack's parameters; the operator may move them both ways",
    "source.since": "a revision up to which history is taken as it is; empty: all of it is judged",
    "keys.folder": "where `keys create` writes and key names are looked up",
    "keys.passphrase_file": "file with their passphrase",
    "builder.id": "who builds: the builder id in provenance",
    "registries": "`host` or `host/path` → `oci:DIR`, `https://…`; nothing else is contacted",
    "registry_auth": "file in the form of docker's `config.json`; each entry is sent to its own host only",
    "exemptions": "files with granted exemptions",
    "product.name": "what it is called",
    "product.version": "its version, and the tag it is published under",
    "product.repository": "the repository it is published to; keys' scopes are compared with it",
    "build.base": "`scratch`, or `oci:DIR@sha256:…`",
    "build.copies": "list of `{ from = PATH, to = PATH }`: what of the commit goes where in the image",
    "build.config": "the image's config: entrypoint, cmd, user, workingdir, env, labels, …",
    "parameters": "written as `[policy.parameters]`: tighter values for the pack's parameters",
}

RESULTS = {
    "check": "safeconduct.phases.develop.check:Check",
    "inventory": "safeconduct.model.component:Inventory",
    "scan": "safeconduct.model.finding:Scan",
    "explain": "safeconduct.capabilities.vulnerabilities.explain:Explanation",
    "source-verify": "[]safeconduct.model.commit:JudgedCommit",
    "build": "safeconduct.phases.build.release:Built",
    "sign": "safeconduct.phases.build.signature:Signed",
    "publish": "safeconduct.capabilities.registry.copy:Copied",
    "verify": "safeconduct.phases.deploy.verification:Verification",
    "gate-deploy": "[]safeconduct.phases.deploy.trial:Trial",
    "watch-falco": "[]safeconduct.phases.operate.events:Tied",
    "watch-pods": "safeconduct.phases.operate.pods:Followed",
    "demo": "safeconduct.cli.demo.acts:Told",
    "audit": "safeconduct.phases.operate.audit:Audit",
    "db-update": "[]safeconduct.phases.operate.feeds:Update",
    "db-status": "[]safeconduct.model.finding:Feed",
    "ask-runs": "safeconduct.capabilities.graph.answers:Runs",
    "ask-reaches": "safeconduct.capabilities.graph.answers:Reach",
    "ask-path": "safeconduct.capabilities.graph.answers:Witness",
    "ask-digest": "safeconduct.capabilities.graph.answers:Everything",
    "ask-upgrades": "safeconduct.capabilities.graph.answers:Upgrades",
    "graph-lineage": "safeconduct.model.lineage:Lineage",
    "rule": "safeconduct.capabilities.policy.pack:Rule",
    "trust": "safeconduct.capabilities.signing.trust:Snapshot",
}
"""The struct behind each result; ``[]`` where the document has a list of them under ``items``."""

SMALL = {
    "init": "file",
    "sbom": "file, components (with `-o`; without it the CycloneDX document itself is printed)",
    "inspect": "digest, claims (list of [Claimed](#claimed))",
    "graph-rebuild": "store, events",
    "policy": "name, digest, gates, parameters",
    "policy-export": "folder, files",
    "policy-test": "results (list of [CaseResult](#caseresult)), untested",
    "key": "name, fingerprint, public",
    "keys": "items: list of {name, fingerprint, file}",
    "public-key": "name, pem",
    "trust-init": "file, root",
    "trust-change": "file, version",
    "trust-install": "version, keys",
    "config": "items: list of {setting, value, from}",
    "error": "id, what, why, next: printed instead of a result when a command fails ([ids](../errors.md))",
}
"""Results that have no struct of their own: their fields."""


def main(arguments: list[str]) -> int:
    """Write the pages, or say which differ."""
    different = []
    for name, render in PAGE_WRITERS.items():
        page, text = PAGES / name, render()
        if not page.is_file() or page.read_text("utf-8") != text:
            different.append(name)
            if "--check" not in arguments:
                page.parent.mkdir(parents=True, exist_ok=True)
                page.write_text(text, "utf-8")
    sys.stdout.write(
        f"docs/reference: {len(PAGE_WRITERS)} pages, {len(different)} changed: {', '.join(different) or 'none'}" + "\n"
    )
    return 1 if different and "--check" in arguments else 0


def commands() -> Iterator[tuple[str, click.Command]]:
    """Yield every command with its full name, groups before what they hold."""
    for name, (module, _) in COMMANDS.items():
        command: click.Command = getattr(importlib.import_module(f"safeconduct.cli.{module}"), name)
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {verb}", inner) for verb, inner in command.commands.items())


def commands_page() -> str:
    """Return the help of every command."""
    parts = [
        _NOTE,
        "# Commands\n",
        "Options that many commands share: `--json` (one document, see [json.md](json.md)),",
    ]
    parts.append("`--quiet`, `--config FILE` (the operator's settings) and `--store FILE` (the graph).")
    parts.append("Exit codes: 0 passed, 1 denied or findings, 2 usage, 3 could not tell.\n")
    for name, command in commands():
        full = f"safeconduct {name}"
        context = click.Context(command, info_name=full, terminal_width=_WIDTH)
        context.help_option_names = ["-h", "--help"]
        help_text = "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
        parts.append(f"## {name}\n\n```text\n{help_text}\n```\n")
    return "\n".join(parts)


def settings_page() -> str:
    """Return the settings of the operator and user, and those of a project."""
    parts = [
        _NOTE,
        "# Settings\n",
        "Later ones win: built-in defaults, `/etc/safeconduct/safeconduct.toml` (the operator's),",
        "`~/.config/safeconduct/safeconduct.toml` (your own; `XDG_CONFIG_HOME` is honoured), the file of `--config` or",
        "`SAFECONDUCT_CONFIG`, variables, flags. `safeconduct config` shows each value and where it came from.",
        "Paths in a file are relative to that file. A variable's value is read as TOML, else as plain text.\n",
        "## The operator's and your own\n",
        *_setting_rows(Settings, variables=True),
        "\nThe user's data (default graph, keys, server certificate, newest trust version seen) lies in",
        "`SAFECONDUCT_DATA`, else `$XDG_DATA_HOME/safeconduct`, else `~/.local/share/safeconduct`.\n",
        "## The project's own `safeconduct.toml`, beside the code\n",
        "It says what the project is and how its image is assembled. It may tighten policy parameters; anything else",
        "is refused as [`authority-in-tree`](../errors.md).\n",
        *_setting_rows(TreeSettings, variables=False),
        "",
    ]
    return "\n".join(parts)


def rules_page() -> str:
    """Return the default pack: gates, parameters, each rule."""
    pack: Pack = find_pack("default")
    parts = [_NOTE, "# Rules of the default pack\n", "`safeconduct policy show` shows the pack in force.\n"]
    parts += ["| gate | rules |", "| --- | --- |"]
    parts += [f"| {gate} | {', '.join(f'[{r}](#{r})' for r in rules)} |" for gate, rules in pack.gates.items()]
    parts += [
        "\n## Parameters\n",
        "A project's own `safeconduct.toml` may move a value only as the last column says.\n",
    ]
    parts += ["| parameter | value | what | a project may |", "| --- | --- | --- | --- |"]
    words = {"superset": "add to it", "subset": "take from it", "higher": "raise it", "lower": "lower it"}
    for name, parameter in pack.parameters.items():
        may = words.get(parameter.tighten, "not change it")
        parts.append(f"| `{name}` | {_value(parameter.value)} | {parameter.about} | {may} |")
    for rule in sorted(pack.rules.values(), key=lambda rule: rule.id):
        gates = ", ".join(gate for gate, rules in pack.gates.items() if rule.id in rules)
        parts += [f"\n## {rule.id}\n", f"{rule.title}.\n", rule.description, ""]
        parts += ["| gates | severity | needs | what to do |", "| --- | --- | --- | --- |"]
        parts.append(f"| {gates} | {rule.severity} | {', '.join(rule.facts)} | {_cell(rule.remedy)} |")
    return "\n".join([*parts, ""])


def readers_page() -> str:
    """Return the file formats that are read, and those that are known and reported as unread."""
    parts = [_NOTE, "# Readers\n", "What `safeconduct inventory` reads. Nothing is executed and no network is used.\n"]
    parts += ["| reader | reads | source of the format |", "| --- | --- | --- |"]
    for module in _modules(inventory):
        if hasattr(module, "READER"):
            text = inspect.getdoc(module) or ""
            head, _, rest = text.partition("\n\n")
            source = re.search(r"Source: (.*?)(?:\.\s|\.$|\Z)", rest, re.DOTALL)
            says = " ".join(source[1].split()) if source else ""
            parts.append(f"| `{module.READER}` | {_cell(head)} | {_cell(says)} |")
    parts += ["\n## Known, not read yet\n"]
    parts.append(
        "Finding one of these makes the inventory incomplete: exit code 3, *could not tell*, with the file's name.\n"
    )
    parts += [f"- {', '.join(f'`{name}`' for name in sorted(readers.WITHOUT_READER))}"]
    parts += [
        f"\nManifests below {', '.join(f'`{name}`' for name in sorted(readers.FOREIGN))} are other people's and say",
        "",
    ]
    parts[-1] = "nothing about this software; what is *installed* there is read.\n"
    return "\n".join(parts)


def json_page() -> str:
    """Return the shape of every document that ``--json`` prints."""
    parts = [_NOTE, "# JSON\n"]
    parts.append(_JSON)
    parts += ["| schema | fields |", "| --- | --- |"]
    shapes: dict[str, type] = {}
    for name in sorted(RESULTS | SMALL):
        parts.append(f"| `safeconduct/{name}/v1` | {_fields_of(name, shapes)} |")
    _load("safeconduct.evidence.claims:Claimed", shapes)
    _load("safeconduct.capabilities.policy.cases:CaseResult", shapes)
    parts.append("\n## Shapes\n")
    done: set[str] = set()
    while left := sorted(set(shapes) - done):
        done.update(left)
        for name in left:
            _follow(shapes[name], shapes)
    parts += [text for name in sorted(shapes) for text in _shape(shapes[name])]
    return "\n".join([*parts, ""])


def result_names() -> set[str]:
    """Return the schema names that the command line's source prints."""
    names = {"error"}
    for file in (ROOT / "src" / "safeconduct" / "cli").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "result":
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    names.add(first.value)
    return names


PAGE_WRITERS: dict[str, Callable[[], str]] = {
    "commands.md": commands_page,
    "settings.md": settings_page,
    "rules.md": rules_page,
    "readers.md": readers_page,
    "json.md": json_page,
}


def _setting_rows(struct: type, *, variables: bool) -> list[str]:
    heads = ["setting", "kind", "default", "what", *(["variable"] if variables else [])]
    rows = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    for name, kind, default in _flat(struct):
        cells = [f"`{name}`", _kind(kind), default, ABOUT[name]]
        if variables:
            cells.append(f"`SAFECONDUCT_{name.replace('.', '_').upper()}`")
        rows.append("| " + " | ".join(cells) + " |")
    return rows


def _flat(struct: type, at: str = "") -> Iterator[tuple[str, Any, str]]:
    hints = typing.get_type_hints(struct)
    for field in msgspec.structs.fields(struct):
        kind = _not_none(hints[field.name])
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            yield from _flat(kind, f"{at}{field.encode_name}.")
        else:
            default = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
            yield f"{at}{field.encode_name}", hints[field.name], _value(default)


def _fields_of(name: str, shapes: dict[str, type]) -> str:
    if name in SMALL:
        return SMALL[name]
    spec = RESULTS[name]
    struct = _load(spec.removeprefix("[]"), shapes)
    return (
        f"items: list of {_link(struct)}" if spec.startswith("[]") else f"{_link(struct)}: {', '.join(_names(struct))}"
    )


def load_struct(spec: str) -> type:
    """Return the struct that ``module:name`` means."""
    module, _, name = spec.partition(":")
    struct: type = getattr(importlib.import_module(module), name)
    return struct


def _load(spec: str, shapes: dict[str, type]) -> type:
    struct = load_struct(spec)
    shapes[_title(struct)] = struct
    return struct


def _title(struct: type) -> str:
    """Return the name under which a struct is shown; the graph has findings and gaps of its own."""
    of_graph = ".graph." in struct.__module__ and struct.__name__ in {"Finding", "Gap"}
    return f"Graph{struct.__name__}" if of_graph else struct.__name__


def _link(struct: type) -> str:
    return f"[{_title(struct)}](#{_title(struct).lower()})"


def _names(struct: type) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(struct)]


def _follow(struct: type, shapes: dict[str, type]) -> None:
    for hint in typing.get_type_hints(struct).values():
        for found in _structs_in(hint):
            shapes[_title(found)] = found


def _structs_in(hint: Any) -> Iterator[type]:
    if isinstance(hint, type) and not typing.get_args(hint):
        if issubclass(hint, msgspec.Struct):
            yield hint
        return
    for inner in typing.get_args(hint):
        yield from _structs_in(inner)


def _shape(struct: type) -> list[str]:
    doc = inspect.getdoc(struct) or ""
    head, _, attributes = doc.partition("Attributes:")
    about = _attributes(attributes)
    hints = typing.get_type_hints(struct)
    rows = [f"### {_title(struct)}\n", " ".join(head.split()) + "\n", "| field | kind | |", "| --- | --- | --- |"]
    for field in msgspec.structs.fields(struct):
        told = _cell(about.get(field.name, ""))
        rows += [f"| `{field.encode_name}` | {_kind(hints[field.name])} | {told} |"]
    return [*rows, ""]


def _attributes(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in re.split(r"\n(?= {4}\S)", text):
        names, separator, told = " ".join(entry.split()).partition(": ")
        if separator:
            found |= dict.fromkeys(re.findall(r"\w+", names), told)
    return found


def _kind(hint: Any) -> str:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in {typing.Union, types.UnionType}:
        return " or ".join("null" if a is type(None) else _kind(a) for a in arguments)
    if origin in {tuple, list}:
        inner = [a for a in arguments if a is not Ellipsis]
        return (
            f"list of {_kind(inner[0])}"
            if Ellipsis in arguments or origin is list
            else f"[{', '.join(map(_kind, inner))}]"
        )
    if origin is dict:
        return f"object of {_kind(arguments[1])}"
    if hasattr(hint, "__supertype__"):
        return "digest" if hint.__name__ == "Digest" else _kind(hint.__supertype__)
    return _plain(hint)


def _plain(hint: Any) -> str:
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return ", ".join(f"{e.value} {e.name.lower()}" if isinstance(e.value, int) else f"`{e.value}`" for e in hint)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return _link(hint)
    names = {
        "str": "text",
        "int": "integer",
        "bool": "true/false",
        "float": "number",
        "bytes": "base64",
        "Any": "any value",
    }
    name = getattr(hint, "__name__", str(hint))
    return {**names, "datetime": "RFC 3339 time"}.get(name, name)


def _not_none(hint: Any) -> Any:
    return (
        next((a for a in typing.get_args(hint) if a is not type(None)), hint)
        if type(None) in typing.get_args(hint)
        else hint
    )


def _value(value: Any) -> str:
    if value is None or value in ("", (), {}, []):
        return "none" if value in ("", None) else "empty"
    return ", ".join(f"`{v}`" for v in value) if isinstance(value, (list, tuple)) else f"`{value}`"


def _cell(text: str) -> str:
    return " ".join(text.replace("``", "`").replace("|", "\\|").split())


def _modules(package: types.ModuleType) -> Iterator[types.ModuleType]:
    for found in sorted(pkgutil.iter_modules(package.__path__), key=lambda module: module.name):
        yield importlib.import_module(f"{package.__name__}.{found.name}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
