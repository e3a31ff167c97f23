"""Which package owns a language package, and when nobody does."""

from safeconduct.capabilities.inventory.tree import MemoryTree
from safeconduct.capabilities.inventory.walk import read_tree

STATUS = b"Package: python3-x\nStatus: install ok installed\nVersion: 1-1\nArchitecture: all\n"
OWNER = "pkg:deb/debian/python3-x@1-1?arch=all"
METADATA = b"Name: x\nVersion: 1\n"


def owners(**files: bytes) -> dict[str, str | None]:
    tree = MemoryTree({"var/lib/dpkg/status": STATUS, **files})
    return {c.purl: c.owner for c in read_tree(tree).components if not c.purl.startswith("pkg:deb")}


def test_metadata_files_of_all_kinds_are_owned_also_under_their_other_name() -> None:
    site = "usr/lib/python3/dist-packages"
    listed = (
        f"/{site}/x-1.egg-info\n/{site}/y-1.dist-info/METADATA\n/lib/node_modules/z/package.json\n"
        f"/{site}/w-1.egg-info/PKG-INFO\n"
    )
    found = owners(
        **{
            "var/lib/dpkg/info/python3-x.list": listed.encode(),
            f"{site}/x-1.egg-info": METADATA,
            f"{site}/y-1.dist-info/METADATA": METADATA.replace(b"x", b"y"),
            f"{site}/w-1.egg-info/PKG-INFO": METADATA.replace(b"x", b"w"),
            "usr/lib/node_modules/z/package.json": b'{"name": "z", "version": "1.0.0"}',
            "usr/local/lib/python3.11/dist-packages/v-1.dist-info/METADATA": METADATA.replace(b"x", b"v"),
        }
    )
    assert found == {
        "pkg:pypi/x@1": OWNER,
        "pkg:pypi/y@1": OWNER,
        "pkg:pypi/w@1": OWNER,
        "pkg:npm/z@1.0.0": OWNER,
        "pkg:pypi/v@1": None,
    }


def test_a_second_copy_that_nobody_owns_makes_the_package_unowned() -> None:
    """Otherwise a copy from pip would hide behind the distribution's backported fixes."""
    site = "usr/lib/python3/dist-packages"
    files = {
        "var/lib/dpkg/info/python3-x.list": f"/{site}/x-1.egg-info\n".encode(),
        f"{site}/x-1.egg-info": METADATA,
    }
    assert owners(**files) == {"pkg:pypi/x@1": OWNER}
    assert owners(**files, **{"opt/venv/site-packages/x-1.dist-info/METADATA": METADATA}) == {"pkg:pypi/x@1": None}


def test_the_list_of_a_package_that_is_not_installed_owns_nothing() -> None:
    site = "usr/lib/python3/dist-packages"
    files = {
        "var/lib/dpkg/info/other.list": f"/{site}/x-1.egg-info\n".encode(),
        f"{site}/x-1.egg-info": METADATA,
    }
    assert owners(**files) == {"pkg:pypi/x@1": None}
