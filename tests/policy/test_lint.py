"""What the parts of a policy mean together: each contradiction has its own code, at the line to change."""

import pytest

from tests.policy.documents import MINIMAL, changed, line_of
from tre.policy import lint

VISIT = "    links: {site_id: site.site_id}"

ERRORS = [
    # the unit
    ("policy.unit-table", "unit: {table: person,", "unit: {table: site,"),
    ("policy.unit-table", "unit: {table: person,", "unit: {table: nowhere,"),
    ("policy.unit-key", "key: person_id}", "key: gender_concept_id}"),
    ("policy.unit-key", "    unique: [person_id]\n", "    unique: []\n"),
    ("policy.no-cap", "magnitude: 1 million people", "magnitude: 5 per person"),
    ("policy.optional-key", "    rows per person: 1\n", "    rows per person: 1\n    optional: true\n"),
    # tables
    ("policy.no-unit", "    unit: person_id\n    rows per person: 500\n", "    rows per person: 500\n"),
    ("policy.no-cap", "    rows per person: 500\n", ""),
    ("policy.no-cap", "    magnitude: 100 million rows\n", ""),
    ("policy.usual-rows", "usual rows: 20", "usual rows: 501"),
    ("policy.unit-not-here", "    access: attribute", "    access: attribute\n    rows per person: 5"),
    ("policy.unit-not-here", "    access: public", "    access: public\n    unit: concept_id"),
    ("policy.unit-not-here", "    access: hidden", "    access: hidden\n    usual rows: 5"),
    ("policy.attribute-key", "    unique: [site_id]\n", ""),
    ("policy.no-column", "unique: [visit_id]", "unique: [visit_no]"),
    ("policy.optional-key", "visit_id: {class: ordinary, type: integer}",
     "visit_id: {class: ordinary, type: integer, optional: true}"),
    # units found through a link
    ("policy.unit-through", "    unit: person_id\n    rows per person: 500\n",
     "    unit: {through: visit_id, to: person.person_id}\n    rows per person: 500\n"),
    # links
    ("policy.no-column", VISIT, "    links: {place: site.site_id}"),
    ("policy.no-table", VISIT, "    links: {site_id: diary.site_id}"),
    ("policy.no-table", VISIT, "    links: {site_id: nowhere.site_id}"),
    ("policy.no-column", VISIT, "    links: {site_id: site.number}"),
    ("policy.link-target", VISIT, "    links: {visit_id: visit.visit_concept_id}"),
    ("policy.link-type", "site_id: {class: ordinary, type: integer}\n      note",
     "site_id: {class: ordinary, type: text(9)}\n      note"),
    ("policy.link-inward", "    access: attribute", "    access: attribute\n    links: {site_id: visit.visit_id}"),
    # columns and kinds
    ("policy.no-kind", "visit_concept_id: concept", "visit_concept_id: concpet"),
    ("policy.no-kind", "  concept: {class: sensitive,", "  concept: {is: code, class: sensitive,"),
    ("policy.unclassed", "{class: sensitive, type: double,", "{type: double,"),
    ("policy.untyped", "{class: sensitive, type: double, bounds: [0, 500], granularity: 0.1}", "{class: sensitive}"),
    ("policy.second-unit-key", "visit_concept_id: concept", "visit_concept_id: {class: unit key, type: integer}"),
    ("policy.second-unit-key", "region: {class: ordinary,", "region: {class: unit key,"),
    ("policy.identifier-detail", "nhs_number: {class: direct identifier}",
     "nhs_number: {class: direct identifier, bounds: [0, 9]}"),
    # identifiers in whose place tokens are made
    ("policy.not-an-identifier", "nhs_number: {class: direct identifier}",
     "nhs_number: {class: quasi-identifier, type: nhs-number}"),
    ("policy.not-an-identifier", "region: {class: ordinary, type: text(20)}",
     "region: {class: ordinary, type: local-number}"),
    ("policy.identifier-place", "site_id: {class: ordinary, type: integer}\n      note",
     "hospital_number: {class: direct identifier, type: local-number}\n      "
     "site_id: {class: ordinary, type: integer}\n      note"),
    ("policy.identifier-twice", "nhs_number: {class: direct identifier}",
     "nhs_number: {class: direct identifier, type: nhs-number}\n      "
     "former_number: {class: direct identifier, type: nhs-number}"),
    ("policy.not-for-type", "type: text(20)}\n  concept", "type: text(20), bounds: [0, 1]}\n  concept"),
    ("policy.not-for-type", "visit_concept_id: concept",
     "visit_concept_id: {is: concept, calendar: [2000-01-01, 2001-01-01]}"),
    ("policy.not-for-type", "granularity: 0.1}", "granularity: 0.1, domain: [1]}"),
    ("policy.literal", "bounds: [1900, 2026]", "bounds: [1900, now]"),
    ("policy.literal", "domain: [8507, 8532]", "domain: [8507, male]"),
    ("policy.literal", "domain: [8507, 8532]", "domain: [8507, true]"),
    ("policy.bounds", "bounds: [1900, 2026]", "bounds: [2026, 1900]"),
    ("policy.bounds", "calendar: [2000-01-01, 2029-12-31]", "calendar: [2029-12-31, 2000-01-01]"),
    ("policy.calendar", "calendar: [2000-01-01, 2029-12-31]", "calendar: [1940-01-01, 2029-12-31]"),
    ("policy.domain", "bounds: [1900, 2026]", "bounds: [1900, 2026], domain: [1899]"),
    ("policy.domain-twice", "domain: [8507, 8532]", "domain: [8507, 8507]"),
    ("policy.granularity", ", granularity: 0.1}", "}"),
    ("policy.text-length", "type: text(20), optional", "type: text, optional"),
    ("policy.literal", VISIT, "    only rows where: {visit_concept_id: [inpatient]}"),
    ("policy.no-column", VISIT, "    only rows where: {domain: [Visit]}"),
    # budget and answers
    ("policy.budget-order", "per answer: {epsilon: 1,", "per answer: {epsilon: 6,"),
    ("policy.budget-order", "per project: {epsilon: 5, delta: 5e-7}", "per project: {epsilon: 5, delta: 2e-6}"),
    ("policy.budget-order", "by default: 0.5", "by default: 2"),
    ("policy.budget-delta", "delta: 2e-7}", "delta: 1.05e-7}"),
    ("policy.pure-delta", "measure: zcdp", "measure: pure"),
    ("policy.no-delta", "  delta: {conversion: 1e-7, keys: 1e-8}\n", ""),
    ("policy.no-delta", "{epsilon: 20, delta: 1e-6}", "{epsilon: 20}"),
    ("policy.minimum-group", "minimum group: 10", "minimum group: 1"),
]  # fmt: skip

WARNINGS = [
    ("policy.unused-kind", "kinds:", "kinds:\n  spare: {class: ordinary, type: integer}"),
    ("policy.large-delta", "{epsilon: 20, delta: 1e-6}", "{epsilon: 20, delta: 2e-6}"),
    ("policy.small-group", "minimum group: 10", "minimum group: 4"),
    ("policy.wide-domain", "minimum group: 10,", "minimum group: 10, known keys: 1,"),
    ("policy.magnitude", "magnitude: 100 million rows", "magnitude: 501 rows per person"),
]


@pytest.mark.parametrize(("code", "old", "new"), ERRORS)
def test_each_contradiction_is_an_error_with_a_place_and_a_remedy(code, old, new):
    findings = [one for one in lint(changed(old, new)) if not one.warning]
    assert code in {one.refusal.reason.code for one in findings}
    for one in findings:
        assert one.refusal.place is not None
        assert "{" not in one.refusal.sentence.replace("{through: ", "")
        assert one.refusal.remedy


@pytest.mark.parametrize(("code", "old", "new"), WARNINGS)
def test_what_deserves_a_second_look_is_a_warning_alone(code, old, new):
    (finding,) = lint(changed(old, new))
    assert (finding.refusal.reason.code, finding.warning) == (code, True)


@pytest.mark.parametrize(
    ("code", "piece", "old", "new"),
    [
        ("policy.domain", "year_of_birth", "bounds: [1900, 2026]", "bounds: [1900, 2026], domain: [1899]"),
        ("policy.link-type", "links:", "site_id: {class: ordinary, type: integer}\n      note",
         "site_id: {class: ordinary, type: text(9)}\n      note"),
        ("policy.budget-order", "per answer", "per answer: {epsilon: 1,", "per answer: {epsilon: 6,"),
        ("policy.no-cap", "  visit:", "    rows per person: 500\n", ""),
    ],
)  # fmt: skip
def test_a_finding_stands_at_the_line_to_change(code, piece, old, new):
    text = changed(old, new)
    (finding,) = lint(text)
    assert (finding.refusal.reason.code, finding.refusal.place.line) == (code, line_of(text, piece))


def test_an_error_and_a_warning_are_told_together():
    text = changed("minimum group: 10", "minimum group: 4").replace("by default: 0.5", "by default: 2")
    assert [one.warning for one in lint(text)] == [False, True]


def test_a_unit_key_of_another_type_is_refused():
    text = MINIMAL.replace(
        "      visit_id: {class: ordinary, type: integer}\n      person_id: {class: unit key, type: integer}",
        "      visit_id: {class: ordinary, type: integer}\n      person_id: {class: unit key, type: text(9)}",
    )
    assert {one.refusal.reason.code for one in lint(text)} == {"policy.unit-type"}
    dates = MINIMAL.replace("class: unit key, type: integer", "class: unit key, type: date")
    assert "policy.unit-type" in {one.refusal.reason.code for one in lint(dates)}


@pytest.mark.parametrize(
    ("unit", "problem"),
    [
        ("{through: visit_id, to: visit.person_id}", "not unique"),
        ("{through: visit_id, to: site.site_id}", "no unit column"),
        ("{through: visit_id, to: nowhere.x}", "no unit column"),
        ("{through: visit_id, to: bill.bill_id}", "no unit column"),
    ],
)
def test_a_unit_is_only_found_through_a_table_whose_own_unit_is_sure(unit, problem):
    text = MINIMAL + (
        f"  bill:\n    access: private\n    unit: {unit}\n    rows per person: 5\n    magnitude: 1e6\n"
        "    unique: [bill_id]\n    columns:\n      bill_id: {class: ordinary, type: integer}\n"
        "      visit_id: {class: ordinary, type: integer}\n"
    )
    (finding,) = lint(text)
    assert finding.refusal.reason.code == "policy.unit-through"
    assert problem in finding.refusal.sentence
