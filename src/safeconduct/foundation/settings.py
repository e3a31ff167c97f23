"""Settings: who may say what, and where each value came from.

Layers, later ones win: built-in defaults, the operator's file (``/etc/safeconduct/safeconduct.toml``), the user's own
file, a file named by flag or environment, ``SAFECONDUCT_*`` variables, flags. The file beside the code that is judged
is no layer: it declares the product and how to build it, and may only tighten policy parameters.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from safeconduct.foundation.errors import BadUsage

FILE_NAME = "safeconduct.toml"
_PREFIX = "SAFECONDUCT_"
_NOT_SETTINGS = frozenset({"CONFIG", "DATA"})
_SERVICE_LINKS = re.compile(r"(\w+_)?(PORT|SERVICE_HOST|SERVICE_PORT)(_\w+)?")
"""What Kubernetes puts into every Pod beside a Service called safeconduct; nobody means a setting by it."""


class TrustSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The trust snapshot and the pins that it must satisfy."""

    snapshot: str = ""
    root: tuple[str, ...] = ()
    threshold: int = 1


class PolicySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The pack (a built-in name or a folder) and its parameters."""

    pack: str = "default"
    parameters: dict[str, Any] = {}


class SourceSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``since``: a commit up to which history is taken as it is; empty means all of it is judged."""

    since: str = ""


class KeySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where private keys are and the file that holds their passphrase."""

    folder: str = ""
    passphrase_file: str = ""


class BuilderSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who builds: the id that provenance names."""

    id: str = "https://safeconduct.dev/builder/local"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that the operator and the user say.

    Attributes:
        store: file of the graph.
        registries: host or host/path prefix to ``oci:DIR`` or a base URL; nothing else is contacted.
        registry_auth: a file in the form of docker's config.json, whose ``auths`` are sent to their own hosts only.
        exemptions: files with granted exemptions.
    """

    store: str = ""
    trust: TrustSettings = TrustSettings()
    policy: PolicySettings = PolicySettings()
    source: SourceSettings = SourceSettings()
    keys: KeySettings = KeySettings()
    builder: BuilderSettings = BuilderSettings()
    registries: dict[str, str] = {}
    registry_auth: str = ""
    exemptions: tuple[str, ...] = ()


class Loaded(msgspec.Struct, frozen=True):
    """Settings with the origin of each value that is not a default (dotted name to file or variable)."""

    settings: Settings
    origins: dict[str, str]


class ProductSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the tree says it is."""

    name: str = ""
    version: str = ""
    repository: str = ""


class CopySettings(msgspec.Struct, frozen=True, rename={"source": "from", "target": "to"}, forbid_unknown_fields=True):
    """One folder or file of the commit and where it goes in the image."""

    source: str
    target: str


class BuildSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the image is assembled. ``base`` is ``scratch`` or a pinned ``oci:DIR@sha256:…``."""

    base: str = "scratch"
    copies: tuple[CopySettings, ...] = ()
    config: dict[str, Any] = {}


class TreeSettings(msgspec.Struct, frozen=True):
    """The file beside the code: product, build, and tightened policy parameters."""

    product: ProductSettings = ProductSettings()
    build: BuildSettings | None = None
    parameters: dict[str, Any] = {}


def load_settings(
    files: tuple[Path, ...], environment: Mapping[str, str], flags: Mapping[str, Any], default_store: Path
) -> Loaded:
    """Return the settings from all layers, lowest first in ``files``; files that do not exist are passed over.

    Args:
        flags: dotted name to value; None means not given.
        default_store: the graph's file where no layer names one.

    Raises:
        BadUsage: ``bad-settings``: a file that is no TOML, an unknown name, or a value of the wrong kind.
    """
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for file in files:
        if file.is_file():
            _merge(values, origins, _resolved(_read_toml(file), file.parent.resolve()), str(file))
    for name, text in sorted(environment.items()):
        key = name.removeprefix(_PREFIX)
        if name.startswith(_PREFIX) and key not in _NOT_SETTINGS and not _SERVICE_LINKS.fullmatch(key):
            _set(values, origins, _dotted(key), _from_text(text), name)
    for dotted, value in flags.items():
        if value is not None:
            _set(values, origins, dotted, value, "flag")
    values.setdefault("store", str(default_store))
    try:
        return Loaded(msgspec.convert(values, Settings), origins)
    except msgspec.ValidationError as error:
        raise _bad(str(error), ", ".join(sorted(set(origins.values())))) from error


def load_tree_settings(data: bytes | None, origin: str) -> TreeSettings:
    """Return what a judged tree's own file says; None (no file) says nothing.

    Raises:
        BadUsage: ``authority-in-tree`` when it tries to configure its judge; ``bad-settings`` when it cannot be read.
    """
    if data is None:
        return TreeSettings()
    try:
        values = tomllib.loads(data.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _bad(str(error), origin) from error
    policy = values.pop("policy", {})
    authority = sorted(set(values) - {"product", "build"})
    if isinstance(policy, dict):
        authority += [f"policy.{name}" for name in sorted(set(policy) - {"parameters"})]
    if authority:
        raise BadUsage(
            "authority-in-tree",
            f"{origin} sets {', '.join(authority)}",
            why="trust, policy, registries, feeds and exemptions come from the operator, never from what is judged",
            next_step="move it to the operator's or your own safeconduct.toml",
        )
    try:
        return msgspec.convert({**values, "parameters": policy.get("parameters", {})}, TreeSettings)
    except (msgspec.ValidationError, AttributeError) as error:
        raise _bad(str(error), origin) from error


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _bad(str(error), str(file)) from error


def _resolved(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Make paths in a file relative to that file."""
    out = dict(values)
    for dotted in ("store", "registry_auth", "trust.snapshot", "keys.folder", "keys.passphrase_file"):
        table, _, name = dotted.rpartition(".")
        holder = out.get(table) if table else out
        if isinstance(holder, dict) and isinstance(holder.get(name), str):
            moved = {**holder, name: str(folder / holder[name])}
            out = {**out, table: moved} if table else moved
    if isinstance(out.get("registries"), dict):
        out["registries"] = {k: _layout(v, folder) for k, v in out["registries"].items()}
    if isinstance(out.get("exemptions"), list):
        out["exemptions"] = [str(folder / str(name)) for name in out["exemptions"]]
    pack = out.get("policy", {}).get("pack") if isinstance(out.get("policy"), dict) else None
    if isinstance(pack, str) and "/" in pack:
        out["policy"] = {**out["policy"], "pack": str(folder / pack)}
    return out


def _layout(value: Any, folder: Path) -> Any:
    if isinstance(value, str) and value.startswith("oci:"):
        return "oci:" + str(folder / value[4:])
    return value


def _merge(values: dict[str, Any], origins: dict[str, str], new: dict[str, Any], origin: str, at: str = "") -> None:
    for name, value in new.items():
        if isinstance(value, dict):
            _merge(values.setdefault(name, {}), origins, value, origin, f"{at}{name}.")
        else:
            values[name] = value
            origins[at + name] = origin


def _set(values: dict[str, Any], origins: dict[str, str], dotted: str, value: Any, origin: str) -> None:
    *tables, name = dotted.split(".")
    for table in tables:
        values = values.setdefault(table, {})
    values[name] = value
    origins[dotted] = origin


def _dotted(key: str) -> str:
    table, _, name = key.lower().partition("_")
    return f"{table}.{name}" if table in {"trust", "policy", "source", "keys", "builder"} and name else key.lower()


def _from_text(text: str) -> Any:
    try:
        return tomllib.loads(f"v = {text}")["v"]
    except tomllib.TOMLDecodeError:
        return text


def _bad(why: str, origin: str) -> BadUsage:
    return BadUsage(
        "bad-settings",
        f"the settings in {origin or 'force'} cannot be used",
        why=why,
        next_step="safeconduct config shows each value and where it came from",
    )
