"""One furnished home for the session, copied for each test; limits short, so that burned requests end soon."""

import shutil
import sys
from fractions import Fraction

import pytest

from tests.faults.houses import short_of_patience
from tests.house import furnish


@pytest.fixture(scope="session")
def furnished(tmp_path_factory):
    root = tmp_path_factory.mktemp("house") / "home"
    furnish(root)
    short_of_patience(root)
    return root


@pytest.fixture
def home(furnished, tmp_path):
    copy = tmp_path / "home"
    shutil.copytree(furnished, copy, copy_function=shutil.copy2)
    return copy


@pytest.fixture(autouse=True)
def _short_limits(monkeypatch):
    timing = sys.modules["tre.decide.timing"]
    monkeypatch.setattr(timing, "_LEAST_LIMIT", Fraction(1, 2))
    monkeypatch.setattr(timing, "_LIMIT_FACTOR", 2)
