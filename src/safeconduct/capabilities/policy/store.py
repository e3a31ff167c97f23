"""Where packs come from: the built-in ones, or a folder that the operator names."""

from importlib import resources
from pathlib import Path

from safeconduct.capabilities.policy.pack import Pack, load_pack
from safeconduct.foundation.errors import Undecided

BUILT_IN = ("default",)


def find_pack(name: str) -> Pack:
    """Return a built-in pack by name, or the pack in a folder.

    Raises:
        Undecided: ``no-policy`` when there is neither, ``bad-policy`` when it cannot be used.
    """
    return load_pack(read_pack(name))


def read_pack(name: str) -> dict[str, bytes]:
    """Return a pack's files by name: rules, ``pack.yaml`` and tests.

    Raises:
        Undecided: ``no-policy``.
    """
    if name in BUILT_IN:
        folder = resources.files("safeconduct.capabilities.policy") / "packs" / name
        return {f.name: f.read_bytes() for f in folder.iterdir() if f.name.endswith((".rego", ".yaml"))}
    path = Path(name)
    if not path.is_dir():
        raise Undecided(
            "no-policy",
            f"there is no policy pack {name!r}",
            why="it is neither built in nor a folder",
            next_step=f"set policy.pack to a folder or to one of: {', '.join(BUILT_IN)}",
        )
    return {f.name: f.read_bytes() for f in sorted(path.iterdir()) if f.suffix in {".rego", ".yaml"}}
