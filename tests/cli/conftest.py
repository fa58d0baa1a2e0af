"""What may happen on the command line, and what must not."""

import pytest


@pytest.fixture(scope="session")
def assert_refused():
    """Asserts that a run ended with one clear error: status 1, one line that starts with `error:`, no traceback."""

    def check(ran, *words):
        assert ran.status == 1, (ran.out, ran.err)
        assert "Traceback" not in ran.err + ran.out
        lines = [line for line in ran.err.splitlines() if line.startswith("error:")]
        assert len(lines) == 1, ran.err
        for word in words:
            assert str(word) in ran.err

    return check
