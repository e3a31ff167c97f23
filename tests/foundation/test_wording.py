from safeconduct.foundation.wording import counted


def test_one_is_no_plural():
    assert [counted(n, "release") for n in (0, 1, 2)] == ["0 releases", "1 release", "2 releases"]
