"""Registry credentials from a file in docker's form."""

import base64
import json

import pytest

from safeconduct.capabilities.registry.credentials import read_docker_config
from safeconduct.foundation.errors import BadUsage


def test_each_host_gets_its_own_credentials_and_no_other() -> None:
    auth = base64.b64encode(b"user:pass:word").decode()
    config = {"auths": {"https://r.example/v1/": {"auth": auth}, "r.example:5000": {"username": "a", "password": "b"}}}
    credentials = read_docker_config(json.dumps(config | {"credsStore": "x"}).encode())
    assert credentials("r.example") == ("user", "pass:word")
    assert credentials("r.example:5000") == ("a", "b")
    assert credentials("evil-r.example") is None
    assert credentials("r.example.evil") is None


@pytest.mark.parametrize("entry", [{}, {"auth": "!"}, {"auth": base64.b64encode(b"nocolon").decode()}, 7])
def test_an_entry_without_credentials_is_refused_and_never_printed(entry: object) -> None:
    with pytest.raises(BadUsage, match="bad-registry-auth") as caught:
        read_docker_config(json.dumps({"auths": {"r.example": entry}}).encode())
    assert "nocolon" not in caught.value.render()
