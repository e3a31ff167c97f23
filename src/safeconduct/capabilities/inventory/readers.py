"""Which reader reads which file, by its name alone."""

from collections.abc import Callable

import msgspec

from safeconduct.capabilities.inventory import (
    apk,
    bun,
    cargo,
    cocoapods,
    compose,
    composer,
    conan,
    deno,
    dist_info,
    dockerfile,
    dpkg,
    gemfile,
    go_binary,
    go_modules,
    gradle,
    jar,
    maven,
    mix,
    node_modules,
    npm,
    npm_manifest,
    nuget,
    nuget_manifest,
    os_release,
    pdm,
    pipfile,
    pnpm,
    poetry,
    pub,
    pylock,
    pyproject,
    requirements,
    rpm,
    swift,
    uv,
    winget,
    workflows,
    yarn,
)
from safeconduct.capabilities.inventory.reading import Reading, beside, not_read

Read = Callable[[str, bytes], Reading]


class Reader(msgspec.Struct, frozen=True):
    """A reader and how much of a file it wants.

    Attributes:
        head: bytes that are enough, None when the whole file is needed.
        wants: tells from a file's first ``PROBED`` bytes whether it is one to read, where the name does not say.
    """

    name: str
    read: Read
    head: int | None = None
    wants: Callable[[bytes], bool] | None = None


PROBED = go_binary.HEAD

FOREIGN = frozenset({"node_modules", "site-packages", "dist-packages", "vendor", "testdata"})
"""Folders whose manifests and lock files are other people's: they say nothing about this software."""

WITHOUT_READER = frozenset(
    {
        "bun.lockb",
        "setup.py",
        "build.gradle",
        "build.gradle.kts",
        "renv.lock",
    }
)
"""Formats that we know of and cannot read: finding one means that the inventory is not complete."""

_MODULES = (
    apk,
    bun,
    cargo,
    cocoapods,
    compose,
    composer,
    conan,
    deno,
    dist_info,
    dockerfile,
    dpkg,
    gemfile,
    go_binary,
    go_modules,
    gradle,
    jar,
    maven,
    mix,
    node_modules,
    npm,
    npm_manifest,
    nuget,
    nuget_manifest,
    pdm,
    pipfile,
    pnpm,
    poetry,
    pub,
    pylock,
    pyproject,
    requirements,
    rpm,
    swift,
    uv,
    winget,
    workflows,
    yarn,
)
YIELDS = (
    *(module.YIELDS for module in _MODULES),
    pipfile.MANIFEST_YIELDS,
    go_modules.VENDOR_YIELDS,
    gradle.CATALOG_YIELDS,
    composer.MANIFEST_YIELDS,
)
"""What each reader yields, by reader."""

_BY_NAME = (
    bun,
    cargo,
    cocoapods,
    composer,
    conan,
    deno,
    gemfile,
    go_modules,
    gradle,
    maven,
    mix,
    npm,
    nuget,
    nuget_manifest,
    pdm,
    pipfile,
    pnpm,
    poetry,
    pub,
    pylock,
    pyproject,
    swift,
    uv,
    yarn,
)
_LOCKS: dict[str, Reader] = {
    name: Reader(module.READER, module.read) for module in _BY_NAME for name in module.NAMES
} | {
    "Pipfile": Reader(pipfile.MANIFEST_READER, pipfile.read_manifest),
    "composer.json": Reader(composer.MANIFEST_READER, composer.read_manifest),
    "libs.versions.toml": Reader(gradle.CATALOG_READER, gradle.read_catalog),
    "go.sum": Reader(go_modules.READER, go_modules.read_sum),
}
_VENDORED = Reader(go_modules.VENDOR_READER, go_modules.read_vendor)
_PROGRAM = Reader(go_binary.READER, go_binary.read, wants=go_binary.is_go)
_WORKFLOW = Reader(workflows.READER, workflows.read)
_COMPOSE = Reader(compose.READER, compose.read)
_WINGET = Reader(winget.READER, winget.read)
_JAR = Reader(jar.READER, jar.read)
_PROJECT = Reader(nuget_manifest.READER, nuget_manifest.read)
_PYLOCK = _LOCKS["pylock.toml"]
_MANIFEST = Reader(npm_manifest.READER, npm_manifest.read)
_INSTALL = Reader(node_modules.READER, node_modules.read)
_DISTRIBUTION = Reader(dist_info.READER, dist_info.read, head=dist_info.HEADER_LIMIT)
_REQUIREMENTS = Reader(requirements.READER, requirements.read)
_DPKG = Reader(dpkg.READER, dpkg.read)
_SYSTEM: dict[str, tuple[tuple[str, ...], Reader]] = {
    "installed": (apk.PATHS, Reader(apk.READER, apk.read)),
    "os-release": (os_release.PATHS, Reader(os_release.READER, os_release.read, head=os_release.HEADER_LIMIT)),
    **dict.fromkeys(("rpmdb.sqlite", "Packages", "Packages.db"), (rpm.PATHS, Reader(rpm.READER, rpm.read))),
    "rpmdb.sqlite-wal": (rpm.PATHS, Reader(rpm.READER, rpm.read, head=1)),
}
_DOCKERFILE = Reader(dockerfile.READER, dockerfile.read)
_NO_READER = Reader("none", lambda path, _: not_read(path, "a known format, but there is no reader for it yet"), head=0)

# A virtual environment holds the data files of what is installed in it, manifests among them. Only the folders that
# installers fill count: a pyvenv.cfg laid beside a project must not hide the project.
_FILLED = ("share", "etc", "lib", "lib64", "include")
_ENVIRONMENT = Reader("environment", lambda path, _: Reading(foreign=tuple(beside(path, n) for n in _FILLED)), head=0)


INERT = frozenset(
    [
        "py",
        "pyc",
        "pyi",
        "js",
        "mjs",
        "cjs",
        "ts",
        "tsx",
        "jsx",
        "map",
        "md",
        "rst",
        "html",
        "htm",
        "css",
        "scss",
        "svg",
        "png",
        "gif",
        "jpg",
        "ttf",
        "woff",
        "woff2",
        "h",
        "hpp",
        "hxx",
        "c",
        "cc",
        "cpp",
        "go",
        "rs",
        "java",
        "class",
        "rb",
        "so",
        "a",
        "o",
        "la",
        "pc",
        "sh",
        "pl",
        "pm",
        "mo",
        "po",
        "gz",
        "xz",
        "zst",
        "bz2",
        "tmpl",
        "proto",
        "ipynb",
        "csv",
        "npy",
    ]
)
"""Endings of names that no format claims: most files of a tree, told apart at once."""
_NAMED = ("setup.py", "Dockerfile", "Containerfile")


def find_reader(path: str) -> Reader | None:
    """Return the reader of ``path``, None for a file that no format claims."""
    name = path[path.rfind("/") + 1 :]
    if name[name.rfind(".") + 1 :] in INERT and not name.startswith(_NAMED) and "lib/dpkg/" not in path:
        return None
    return _claiming_reader(path, name)


def _claiming_reader(path: str, name: str) -> Reader | None:
    if name == "package.json":
        return _INSTALL if node_modules.is_install(path) else _unless_foreign(path, _MANIFEST)
    if name in {"METADATA", "PKG-INFO", "REQUESTED"} or name.endswith(".egg-info"):
        return _DISTRIBUTION if dist_info.is_metadata(path, name) else None
    if found := _by_name(path, name):
        return _unless_foreign(path, found)
    if name.endswith(jar.ENDINGS):
        return None if "testdata" in path.split("/") else _JAR
    if name == "pyvenv.cfg":
        return _ENVIRONMENT
    if name == "modules.txt":
        return _unless_foreign(path[: -len("/vendor/modules.txt")] + "/x", _VENDORED) if _is_vendored(path) else None
    return _system_reader(path, name)


def probe_reader(path: str) -> Reader | None:
    """Return the reader that may read a file whose name says nothing, once it has seen the first bytes."""
    return _PROGRAM if go_binary.may_be_program(path) else None


def include_reader(name: str) -> Reader | None:
    """Return the reader for a file that another of reader ``name`` includes, whatever it is called."""
    return _REQUIREMENTS if name == requirements.READER else None


def _system_reader(path: str, name: str) -> Reader | None:
    """Return the reader of an operating system's own records, known by their place in it."""
    if "lib/dpkg/" in path and dpkg.is_database(path, name):
        return _DPKG
    paths, reader = _SYSTEM.get(name, ((), None))
    return reader if os_release.root_of(path, paths) is not None else None


def _yaml_reader(path: str, name: str) -> Reader | None:
    if workflows.is_workflow(path, name):
        return _WORKFLOW
    return _COMPOSE if compose.is_compose(name) else None


def _is_vendored(path: str) -> bool:
    return f"/{path}".endswith("/vendor/modules.txt")


def _by_name(path: str, name: str) -> Reader | None:
    if found := _LOCKS.get(name):
        return found
    if name in WITHOUT_READER:
        return _NO_READER
    if name.endswith(".txt"):
        return _REQUIREMENTS if requirements.is_requirements(path) else None
    if name.endswith((".yml", ".yaml")) and (found := _yaml_reader(path, name)):
        return found
    if name.endswith(nuget_manifest.ENDINGS):
        return _PROJECT
    if winget.is_winget(name):
        return _WINGET
    if name.endswith(".toml") and pylock.is_pylock(name):
        return _PYLOCK
    return _DOCKERFILE if "file" in name and dockerfile.is_dockerfile(name) else None


def _unless_foreign(path: str, reader: Reader) -> Reader | None:
    return None if FOREIGN.intersection(path.split("/")[:-1]) else reader
