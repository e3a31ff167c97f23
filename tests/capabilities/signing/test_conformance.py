"""Other people's suites: sigstore's conformance cases, and 403 signature documents with a committed verdict each."""

import random
import socket
from collections import Counter
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[3] / "bench"


@pytest.fixture
def suites(monkeypatch: pytest.MonkeyPatch):
    """The suites, with sockets taken away: verification must not want any."""
    monkeypatch.syspath_prepend(str(BENCH))
    import suites_signing

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("verification opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    return suites_signing


def test_all_sigstore_conformance_cases_have_the_answer_and_the_reason_of_their_readme(suites, shared_data) -> None:
    cases = list(suites.sigstore_cases(shared_data))
    assert [case for case in cases if not case.passed] == []
    assert Counter(case.case in suites.REASONS for case in cases) == {True: 27, False: 14}


def test_a_case_s_answer_does_not_come_from_its_name(suites, shared_data) -> None:
    """The files of each case alone, in any order, under no name at all."""
    files = suites.members(shared_data, "sigstore-conformance")
    names = [name for name in files if name.endswith("/bundle.sigstore.json")]
    random.Random(7).shuffle(names)
    root = suites.members(shared_data, "signatures")[suites.PUBLIC_ROOT]
    accepted = 0
    for name in names:
        folder = name.removesuffix("bundle.sigstore.json")
        own = {path.removeprefix(folder): body for path, body in files.items() if path.startswith(folder)}
        artifact = files[folder.rstrip("/").rpartition("/")[0] + "/a.txt"]
        try:
            suites.verify_case({"trusted_root.json": root, "artifact": artifact, **own})
        except suites.SafeconductError:
            continue
        accepted += 1
    assert accepted == 14


def test_every_signature_document_has_its_committed_verdict(suites, shared_data) -> None:
    cases = list(suites.documents(shared_data))
    assert len(cases) == 403
    assert [case for case in cases if not case.passed] == []


def test_bundles_of_many_programs_verify(suites, shared_data) -> None:
    verdicts = suites.judge_documents(shared_data)
    sources = Counter(j.verified.time_source for found in verdicts.values() for j in found if j.verified)
    assert sources["log"] >= 97
    assert sources["timestamp"] >= 5
    envelopes = Counter(j.reason for found in verdicts.values() for j in found if j.kind == "envelope")
    assert envelopes["no-trusted-time"] == 76
    (cve,) = (found for name, found in verdicts.items() if name.endswith("bundle_cve_2022_36056.txt.sigstore"))
    assert cve[0].reason == "wrong-log-entry"


def test_statements_are_about_their_own_artifact_and_no_other(suites, shared_data) -> None:
    cases = list(suites.subject_cases(shared_data))
    assert len(cases) >= 2 * 146
    assert [case for case in cases if not case.passed] == []


@pytest.mark.parametrize(("year", "answers"), [(2016, set()), (2050, {"log", "timestamp"})])
def test_verdicts_do_not_age_but_nothing_is_believed_before_its_time(suites, shared_data, year, answers) -> None:
    """In 2050 all proven times still stand; in 2016 each of them is still to come."""
    now = suites.NOW.replace(year=year)
    verdicts = suites.judge_documents(shared_data, now)
    verified = {j.verified.time_source for found in verdicts.values() for j in found if j.verified}
    assert verified == answers
