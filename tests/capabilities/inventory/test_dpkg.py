"""dpkg's database, held to dpkg-query itself."""

import shutil
import subprocess
from pathlib import Path

import pytest

from safeconduct.capabilities.inventory import dpkg
from safeconduct.capabilities.inventory.tree import FolderTree, MemoryTree
from safeconduct.capabilities.inventory.walk import read_tree
from safeconduct.model.component import Inventory
from safeconduct.model.purl import parse_purl

SAMPLE = Path(__file__).resolve().parents[2] / "cases" / "inventory" / "testdata" / "dpkg"
STATUS = (SAMPLE / "var/lib/dpkg/status").read_bytes()
OS = b"ID=debian\nVERSION_ID=12\n"


def read(files: dict[str, bytes]) -> Inventory:
    return read_tree(MemoryTree(files))


def test_only_what_is_installed_counts_with_epoch_source_and_distribution() -> None:
    found = read({"var/lib/dpkg/status": STATUS, "etc/os-release": OS})
    assert [c.purl for c in found.components] == [
        "pkg:deb/debian/libc6@2.36-9%2Bdeb12u10?arch=amd64&distro=debian-12&upstream=glibc",
        "pkg:deb/debian/libgcc-s1@12.2.0-14%2Bdeb12u1?arch=amd64&distro=debian-12&upstream=gcc-12%4012.2.0-14",
        "pkg:deb/debian/vim@2:9.0.1378-2?arch=amd64&distro=debian-12",
    ]


def test_edges_follow_alternatives_and_what_is_provided() -> None:
    found = read({"var/lib/dpkg/status": STATUS})
    names = [(parse_purl(a).name, parse_purl(b).name) for a, b in found.edges]
    assert names == [("libc6", "libgcc-s1"), ("libgcc-s1", "libc6"), ("vim", "libc6")]


def test_each_system_in_a_tree_has_its_own_release_and_edges() -> None:
    found = read(
        {
            "var/lib/dpkg/status": STATUS,
            "etc/os-release": OS,
            "old/var/lib/dpkg/status": STATUS.replace(b"Package: libc6\n", b"Package: libc5\n"),
            "old/usr/lib/os-release": b"ID=ubuntu\nVERSION_ID='22.04'\n",
        }
    )
    assert sum("deb/ubuntu/" in c.purl and "distro=ubuntu-22.04" in c.purl for c in found.components) == 3
    assert all(("ubuntu" in a) == ("ubuntu" in b) for a, b in found.edges)


def test_the_files_of_an_image_without_dpkg_are_read_one_by_one() -> None:
    metadata = "usr/lib/python3/dist-packages/a-1.dist-info/METADATA"
    found = read(
        {
            "var/lib/dpkg/status.d/base": b"Package: base-files\nVersion: 12.4\nArchitecture: amd64\n",
            "var/lib/dpkg/status.d/base-files.md5sums": f"00112233445566778899aabbccddeeff  {metadata}\n".encode(),
            metadata: b"Name: a\nVersion: 1\n",
        }
    )
    assert [(c.purl, c.owner) for c in found.components] == [
        ("pkg:deb/debian/base-files@12.4?arch=amd64", None),
        ("pkg:pypi/a@1", "pkg:deb/debian/base-files@12.4?arch=amd64"),
    ]


def test_one_stanza_less_is_exactly_one_component_less() -> None:
    everything = {c.purl for c in read({"var/lib/dpkg/status": STATUS}).components}
    stanzas = STATUS.split(b"\n\n")
    for number in range(3):
        rest = b"\n\n".join(stanzas[:number] + stanzas[number + 1 :])
        assert len(everything - {c.purl for c in read({"var/lib/dpkg/status": rest}).components}) == 1


@pytest.mark.parametrize("data", [b"\0\1\2", b"Package: x\nStatus: install ok installed\n", b"hello"])
def test_what_is_no_database_is_unread(data: bytes) -> None:
    assert dpkg.read("var/lib/dpkg/status", data).unread


def test_truncation_anywhere_never_crashes() -> None:
    for end in range(0, len(STATUS), 7):
        read({"var/lib/dpkg/status": STATUS[:end]})


def test_a_status_elsewhere_is_no_database() -> None:
    assert read({"src/status": STATUS, "docs/lib/dpkg/x/status": STATUS}) == Inventory()


def test_a_real_system_lists_exactly_what_dpkg_query_lists(tmp_path: Path) -> None:
    """This machine's own database, copied: names, versions, architectures and source packages."""
    if shutil.which("dpkg-query") is None or not Path("/var/lib/dpkg/status").is_file():
        pytest.skip("this is no Debian: there is no dpkg-query to compare with")
    (tmp_path / "var/lib/dpkg/info").mkdir(parents=True)
    (tmp_path / "var/lib/dpkg/updates").mkdir()
    shutil.copy("/var/lib/dpkg/status", tmp_path / "var/lib/dpkg/status")
    shutil.copytree("/var/lib/dpkg/info", tmp_path / "var/lib/dpkg/info", dirs_exist_ok=True)
    form = r"${db:Status-Status} ${Package} ${Version} ${Architecture} ${source:Package} ${source:Version}\n"
    admin = f"--admindir={tmp_path / 'var/lib/dpkg'}"
    listed = subprocess.run(
        ["dpkg-query", admin, "-W", f"-f={form}"], capture_output=True, text=True, timeout=60, check=True
    )
    expected = sorted(tuple(w[1:]) for line in listed.stdout.splitlines() if (w := line.split())[0] == "installed")
    found = read_tree(FolderTree(tmp_path))
    assert len(expected) > 50
    assert sorted(map(_told, found.components)) == expected
    assert found.unread == ()


def _told(component) -> tuple[str, ...]:
    purl = parse_purl(component.purl)
    qualifiers = dict(purl.qualifiers)
    source, _, version = qualifiers.get("upstream", "").partition("@")
    return purl.name, purl.version, qualifiers["arch"], source or purl.name, version or purl.version
