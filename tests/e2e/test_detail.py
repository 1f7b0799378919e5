"""A refused delivery tells its detail to the data controller alone: a file of the home, not the terminal."""

import stat

import pytest

from tests.house import POLICY
from tre.app.admin import open_admin
from tre.base.reasons import Refused


def test_the_detail_of_a_refused_delivery_stands_in_a_file_for_the_controller(tmp_path):
    admin = open_admin(tmp_path / "home")
    admin.init(tmp_path / "home", "test.example/log")
    delivery = tmp_path / "delivery"
    delivery.mkdir()
    (delivery / "person.csv").write_text("person_id,gender_concept_id\nabc-secret,8507\n")
    with pytest.raises(Refused) as refused:
        admin.dataset_add("ward", delivery, POLICY, lambda _step, _fraction: None)
    told = " ".join(one.sentence for one in refused.value.refusals)
    assert "abc-secret" not in told
    file = tmp_path / "home" / "refused-ward.txt"
    assert str(file) in told
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "person" in file.read_text()
