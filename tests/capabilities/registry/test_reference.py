import pytest
from hypothesis import given
from hypothesis import strategies as st

from safeconduct.capabilities.registry.reference import Reference, covers, parse_reference
from safeconduct.foundation.errors import Refused

DIGEST = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("nginx:1.27", "docker.io/library/nginx:1.27"),
        ("docker.io/nginx", "docker.io/library/nginx:latest"),
        ("index.docker.io/nginx", "docker.io/library/nginx:latest"),
        ("acme/web", "docker.io/acme/web:latest"),
        ("localhost/web", "localhost/web:latest"),
        ("localhost:5000/web:v1", "localhost:5000/web:v1"),
        ("reg.local/team/app:1.0", "reg.local/team/app:1.0"),
        ("REG.Local:5000/team/app:V1", "reg.local:5000/team/app:V1"),
        ("[::1]:5000/web", "[::1]:5000/web:latest"),
        (f"reg.local/app@{DIGEST}", f"reg.local/app@{DIGEST}"),
        (f"reg.local/app:1.0@{DIGEST}", f"reg.local/app@{DIGEST}"),
        ("a.b/c__d/e--f.g", "a.b/c__d/e--f.g:latest"),
    ],
)
def test_every_spelling_of_an_image_has_one_canonical_form(text, canonical):
    reference = parse_reference(text)
    assert str(reference) == canonical
    assert str(parse_reference(canonical)) == canonical


def test_a_digest_wins_over_the_tag_beside_it():
    reference = parse_reference(f"reg.local/app:1.0@{DIGEST}")
    assert (reference.asked, reference.tag) == (DIGEST, "1.0")
    assert parse_reference("reg.local/app").asked == "latest"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " nginx",
        "nginx ",
        "ngin\u0445",
        "reg.local./app",
        "FOO/app",
        "reg.local/App",
        "reg.local/",
        "reg.local//app",
        "reg.local/../app",
        "reg.local/app:",
        "reg.local/app:" + "t" * 129,
        "reg.local/app@sha512:" + "a" * 128,
        "reg.local/app@sha256:" + "A" * 64,
        "reg.local/app@" + "a" * 64,
        f"reg.local/app@{DIGEST}@{DIGEST}",
        "a" * 64,
        "reg.local/" + "a" * 250,
        "reg.local:0/app",
        "reg.local:99999/app",
        "https://reg.local/app",
        "user@reg.local/app",
        "reg_local.x/app",
        "-reg.local/app",
        "app\n",
    ],
)
def test_a_spelling_without_a_single_meaning_is_refused(text):
    with pytest.raises(Refused) as caught:
        parse_reference(text)
    assert caught.value.id == "bad-reference"


@given(st.text(max_size=80) | st.from_regex(r"[A-Za-z0-9./:@_-]{1,60}", fullmatch=True))
def test_any_text_is_refused_or_read_to_a_form_that_reads_as_itself(text):
    try:
        reference = parse_reference(text)
    except Refused:
        return
    again = parse_reference(str(reference))
    assert again.name == reference.name
    assert again.asked == reference.asked


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("ghcr.io/acme", "ghcr.io/acme/web", True),
        ("ghcr.io/acme", "ghcr.io/acme", True),
        ("ghcr.io/acme", "ghcr.io/acmeevil/web", False),
        ("ghcr.io", "ghcr.io/anything/at/all", True),
        ("ghcr.io/acme/*", "ghcr.io/acme", False),
        ("*.trusted.example/org/*", "a.trusted.example/org/app", True),
        ("*.trusted.example/org/*", "attacker.tld/x.trusted.example/org/app", False),
        ("*.trusted.example/org/*", "trusted.example/org/app", False),
        ("*.trusted.example/org/*", "eviltrusted.example/org/app", False),
        ("reg.local:5000/app", "reg.local/app", False),
    ],
)
def test_host_and_path_of_a_pattern_are_matched_apart(pattern, text, expected):
    assert covers(pattern, parse_reference(text)) is expected


def test_a_reference_moves_to_a_digest_without_its_tag():
    assert parse_reference("reg.local/app:1").at(OTHER) == Reference("reg.local", "app", "", OTHER)
