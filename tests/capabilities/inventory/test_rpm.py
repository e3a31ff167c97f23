"""rpm's database: a real one, ones made here, and hostile ones."""

import random
import sqlite3
import struct
import tarfile
from pathlib import Path

import pytest
import zstandard

from safeconduct.capabilities.inventory import rpm
from safeconduct.capabilities.inventory.tree import MemoryTree
from safeconduct.capabilities.inventory.walk import read_tree
from safeconduct.model.component import Inventory

DATABASE = "var/lib/rpm/rpmdb.sqlite"
STRING, INT32, STRINGS = 6, 4, 8


def header(*tags: tuple[int, int, object]) -> bytes:
    index, store = b"", b""
    for tag, kind, value in tags:
        values = value if isinstance(value, list) else [value]
        store += b"\0" * (-len(store) % 4)
        index += struct.pack(">iIiI", tag, kind, len(store), len(values))
        store += b"".join(struct.pack(">I", v) if kind == INT32 else v.encode() + b"\0" for v in values)
    return struct.pack(">II", len(tags), len(store)) + index + store


def database(*blobs: bytes, schema: str = "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB)") -> bytes:
    connection = sqlite3.connect(":memory:")
    connection.execute(schema)
    for blob in blobs:
        connection.execute("INSERT INTO Packages (blob) VALUES (?)", (blob,))
    connection.commit()
    return connection.serialize()


def package(name: str, *more: tuple[int, int, object]) -> bytes:
    base = ((1000, STRING, name), (1001, STRING, "1.0"), (1002, STRING, "2.el9"), (1022, STRING, "x86_64"))
    return header(*base, *more)


PYTHON = package(
    "python3-six",
    (1003, INT32, 1),
    (1014, STRING, "MIT"),
    (1044, STRING, "python-six-1.0-2.el9.src.rpm"),
    (1049, STRINGS, ["libc.so.6()(64bit)"]),
    (1116, INT32, [0]),
    (1117, STRINGS, ["METADATA"]),
    (1118, STRINGS, ["/usr/lib/python3.9/site-packages/six-1.0.dist-info/"]),
)
LIBC = package("glibc", (1047, STRINGS, ["libc.so.6()(64bit)"]), (1044, STRING, "glibc-1.0-2.el9.src.rpm"))


def read(data: bytes, **files: bytes) -> Inventory:
    return read_tree(MemoryTree({DATABASE: data, **files}))


def test_packages_with_epoch_source_edges_and_owned_parts() -> None:
    metadata = "usr/lib/python3.9/site-packages/six-1.0.dist-info/METADATA"
    files = {"etc/os-release": b'ID="rhel"\nVERSION_ID="9.2"\n', metadata: b"Name: six\nVersion: 1.0\n"}
    found = read(database(PYTHON, LIBC), **files)
    six = "pkg:rpm/redhat/python3-six@1.0-2.el9?arch=x86_64&distro=rhel-9.2&epoch=1&upstream=python-six"
    libc = "pkg:rpm/redhat/glibc@1.0-2.el9?arch=x86_64&distro=rhel-9.2"
    assert [(c.purl, c.owner) for c in found.components] == [("pkg:pypi/six@1.0", six), (libc, None), (six, None)]
    assert found.edges == ((six, libc),)
    assert found.components[2].licenses == ("MIT",)


def test_a_real_database(shared_data: Path) -> None:
    with (
        (shared_data / "manifests/tool-fixtures.tar.zst").open("rb") as file,
        zstandard.ZstdDecompressor().stream_reader(file) as plain,
        tarfile.open(fileobj=plain, mode="r|") as tar,
    ):
        data = next(tar.extractfile(m).read() for m in tar if m.name.endswith("rpmdb.sqlite"))
    assert [c.purl for c in read(data).components] == [
        "pkg:rpm/fedora/coreutils@9.1-12.fc38?arch=x86_64",
        "pkg:rpm/fedora/libgcc@13.1.1-2.fc38?arch=x86_64&upstream=gcc",
    ]


@pytest.mark.parametrize("name", ["Packages", "Packages.db"])
def test_older_kinds_of_database_are_named_as_unread(name: str) -> None:
    found = read_tree(MemoryTree({f"var/lib/rpm/{name}": b"RpmP" + b"\0" * 60}))
    assert "not read" in found.unread[0].reason


def test_changes_not_yet_in_the_database_are_named() -> None:
    found = read(database(LIBC), **{DATABASE + "-wal": b"x"})
    assert len(found.components) == 1
    assert "not yet written" in found.unread[0].reason
    assert read(database(LIBC), **{DATABASE + "-wal": b""}).unread == ()


@pytest.mark.parametrize(
    "schema",
    [
        "CREATE TABLE Other (x)",
        "CREATE VIEW Packages AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT i AS blob FROM n",
    ],
)
def test_a_database_without_the_table_is_unread(schema: str) -> None:
    found = read(database(schema=schema))
    assert "no table Packages" in found.unread[0].reason


def test_one_damaged_record_loses_only_itself() -> None:
    found = read(database(LIBC, b"short", LIBC[:60], header((1000, STRING, "noversion"))))
    assert len(found.components) == 1
    assert len(found.unread) == 3


def test_mutated_databases_never_crash() -> None:
    data = database(PYTHON, LIBC)
    source = random.Random(7)
    for _ in range(300):
        image = bytearray(data)
        for _ in range(source.randrange(1, 12)):
            image[source.randrange(len(image))] = source.randrange(256)
        rpm.read(DATABASE, bytes(image[: source.randrange(len(image))] if source.random() < 0.3 else image))
