"""The predicate of a kept document is cut out of it, not written anew."""

import base64
import json
import random

import pytest

from safeconduct.capabilities.attestations.statements import write_statement
from safeconduct.intake.claims import commit_of, predicate_of
from safeconduct.model.digest import sha256

PREDICATE = {"bomFormat": "CycloneDX", "components": [{"name": "ü", "n": 1.50}]}
STATEMENT = write_statement({"image": sha256(b"image")}, "https://cyclonedx.org/bom", PREDICATE)
ENVELOPE = {"payload": base64.b64encode(STATEMENT).decode(), "payloadType": "application/vnd.in-toto+json"}
BUNDLE = {"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "dsseEnvelope": ENVELOPE}


@pytest.mark.parametrize(
    "document",
    [json.dumps(BUNDLE).encode(), json.dumps(ENVELOPE).encode(), STATEMENT, json.dumps(PREDICATE).encode()],
)
def test_the_predicate_is_found_in_every_form(document):
    assert json.loads(predicate_of(document)) == PREDICATE


def test_the_predicates_own_bytes_are_given():
    written = b'{"a":  [1.50,\n"\\u00fc"]}'
    assert predicate_of(b'{"predicateType": "x", "predicate": ' + written + b"}") == written


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"dsseEnvelope": {"payload": "%%%"}}',
        b'{"dsseEnvelope": 7}',
        b'{"dsseEnvelope": {"payload": "e30="}}',
        b"{",
        b"7",
    ],
)
def test_what_holds_none_gives_none_or_something_that_no_reader_takes(document):
    assert commit_of(predicate_of(document)) == ""


def test_random_changes_are_survived():
    chance = random.Random(1)
    for _ in range(500):
        data = bytearray(json.dumps(BUNDLE).encode())
        for _ in range(chance.randint(1, 9)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        commit_of(predicate_of(bytes(data)))


@pytest.mark.parametrize(
    ("dependencies", "commit"),
    [
        ([{"digest": {"gitCommit": "abc"}}], "abc"),
        ([{"digest": {"sha256": "abc"}}, {"digest": {"gitCommit": "def"}}], "def"),
        ([{"name": "no digest"}], ""),
        ([], ""),
        (None, ""),
        ([{"digest": {"gitCommit": 7}}], ""),
    ],
)
def test_the_commit_is_the_first_that_provenance_names(dependencies, commit):
    predicate = {"buildDefinition": {"resolvedDependencies": dependencies}}
    assert commit_of(json.dumps(predicate).encode()) == commit
