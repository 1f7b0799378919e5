"""One furnished home for the session, copied for each test that writes."""

import shutil

import pytest

from tests.house import furnish
from tre.app.compose import House
from tre.app.serving import Running
from tre.base.home import Home


@pytest.fixture(scope="session")
def furnished(tmp_path_factory):
    root = tmp_path_factory.mktemp("house") / "home"
    furnish(root)
    return root


@pytest.fixture
def home(furnished, tmp_path):
    copy = tmp_path / "home"
    shutil.copytree(furnished, copy, copy_function=shutil.copy2)
    return copy


@pytest.fixture
def running(home):
    service = Running(House(Home(home)))
    yield service
    service.stop()
