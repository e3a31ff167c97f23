"""Java archives, nested and hostile ones among them."""

import io
import random
import zipfile
from pathlib import Path

import pytest

from safeconduct.capabilities.inventory import jar
from safeconduct.capabilities.inventory.tree import MemoryTree
from safeconduct.capabilities.inventory.walk import read_tree


def archive(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as made:
        for name, data in files.items():
            made.writestr(zipfile.ZipInfo(name), data, compress_type=method)
    return target.getvalue()


def properties(group: str, artifact: str, version: str) -> tuple[str, bytes]:
    place = f"META-INF/maven/{group}/{artifact}/pom.properties"
    return place, f"#Generated\ngroupId={group}\nartifactId={artifact}\nversion={version}\n".encode()


LIB = archive(dict([properties("com.example", "lib", "1.2.3"), ("a/B.class", b"\xca\xfe\xba\xbe")]))
BARE = archive({"a/B.class": b"\xca\xfe\xba\xbe"})
APP = archive(
    dict([properties("com.example", "app", "1.0"), ("WEB-INF/lib/lib.jar", LIB), ("WEB-INF/lib/bare-2.0.jar", BARE)])
)


def test_packages_are_named_by_their_own_properties_and_never_guessed() -> None:
    found = read_tree(MemoryTree({"srv/app.war": APP}))
    assert [(c.purl.partition("?")[0], c.locations[0].path) for c in found.components] == [
        ("pkg:generic/bare-2.0.jar", "srv/app.war!/WEB-INF/lib/bare-2.0.jar"),
        ("pkg:maven/com.example/app@1.0", "srv/app.war"),
        ("pkg:maven/com.example/lib@1.2.3", "srv/app.war!/WEB-INF/lib/lib.jar"),
    ]
    assert "checksum=sha1:" in found.components[0].purl
    assert all(h.of == "file" for c in found.components for h in c.hashes)


def test_a_shaded_archive_lists_all_that_it_holds() -> None:
    shaded = archive(dict([properties("g", "one", "1"), properties("g", "two", "2")]))
    assert [c.purl for c in jar.read("x.jar", shaded).components] == ["pkg:maven/g/one@1", "pkg:maven/g/two@2"]


def test_an_archive_without_classes_is_no_component() -> None:
    assert read_tree(MemoryTree({"x-sources.jar": archive({"a/B.java": b""})})).components == ()


def test_an_archive_that_a_package_owns_says_so_with_all_inside_it() -> None:
    status = b"Package: libapp-java\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n"
    files = {
        "var/lib/dpkg/status": status,
        "var/lib/dpkg/info/libapp-java.list": b"/usr/share/java/app.war\n",
        "usr/share/java/app.war": APP,
    }
    found = read_tree(MemoryTree(files))
    assert {c.owner for c in found.components if "deb" not in c.purl} == {"pkg:deb/debian/libapp-java@1?arch=all"}


@pytest.mark.parametrize("data", [b"", b"PK", b"x" * 100, LIB[:-30], b"PK\5\6" + b"\xff" * 18])
def test_a_damaged_archive_is_unread(data: bytes) -> None:
    reading = jar.read("x.jar", data)
    assert reading.unread
    assert not reading.components


def test_archives_in_archives_end_at_a_depth() -> None:
    data = LIB
    for _ in range(6):
        data = archive({"inner.jar": data})
    assert "depth" in jar.read("x.jar", data).unread[0].reason


def test_a_bomb_is_stopped_at_the_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jar, "_MOST_UNPACKED", 1_000_000)
    bomb = archive({"inner.jar": bytes(50_000_000)})
    assert "more than may be read" in jar.read("x.jar", bomb).unread[0].reason
    place, _ = properties("g", "a", "1")
    assert "more than may be read" in jar.read("x.jar", archive({place: bytes(200_000)})).unread[0].reason


def test_mutated_archives_never_crash() -> None:
    source = random.Random(5)
    for _ in range(400):
        image = bytearray(APP)
        for _ in range(source.randrange(1, 12)):
            image[source.randrange(len(image))] = source.randrange(256)
        jar.read("x.jar", bytes(image[: source.randrange(len(image))] if source.random() < 0.2 else image))


def test_the_sample_reads_as_what_this_file_makes() -> None:
    case = Path(__file__).resolve().parents[2] / "cases" / "inventory" / "testdata" / "jar" / "app.war"
    found, made = (jar.read("app.war", data).components for data in (case.read_bytes(), APP))
    assert [c.purl.partition("?")[0] for c in found] == [c.purl.partition("?")[0] for c in made]
