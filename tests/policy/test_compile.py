"""What a document compiles to is what the planner, onboarding and the ledger rely on."""

from datetime import date
from fractions import Fraction

from tests.policy.documents import MINIMAL, changed
from tre.base.cost import Measure
from tre.catalogue import Access, ColumnClass, Interval, Kind, Link, Type
from tre.policy import compile_policy, load_policy, with_version
from tre.policy.context import Role


def compiled(text: str = MINIMAL):
    return compile_policy(load_policy(text), "northfield")


def test_a_table_compiles_to_what_the_document_says():
    catalogue = compiled().catalogue
    visit = catalogue.tables["visit"]
    assert (catalogue.dataset, catalogue.unit_table, catalogue.unit_key) == ("northfield", "person", "person_id")
    assert (visit.unit, visit.rows_per_unit, visit.typical_rows, visit.magnitude) == ("person_id", 500, 20, 10**8)
    assert visit.unique == (frozenset({"visit_id"}),)
    assert visit.links == (Link(("site_id",), "site", ("site_id",)),)
    assert visit.columns["cost"].type == Type(Kind.DECIMAL, 12, 2)
    assert visit.columns["cost"].granularity == Fraction(1, 100)
    assert visit.columns["weight"].granularity == Fraction(1, 10)
    assert visit.columns["visit_date"].bounds == Interval(Fraction(-7305), Fraction(21914))
    assert visit.columns["visit_date"].calendar == (date(2000, 1, 1), date(2029, 12, 31))
    assert visit.columns["note"].max_length == 20
    assert visit.columns["note"].optional


def test_a_kind_fills_in_what_a_column_leaves_unsaid_and_nothing_else():
    gender = compiled().catalogue.tables["person"].columns["gender_concept_id"]
    assert (gender.klass, gender.type.kind, gender.domain) == (ColumnClass.SENSITIVE, Kind.INTEGER, (8507, 8532))


def test_keys_and_units_are_never_empty():
    catalogue = compiled().catalogue
    assert not catalogue.tables["visit"].columns["visit_id"].nullable
    assert not catalogue.tables["visit"].columns["person_id"].nullable
    assert catalogue.tables["visit"].columns["cost"].nullable


def test_people_count_the_units_and_budgets_are_stored_as_two_parts():
    policy = compiled()
    assert policy.catalogue.units == policy.rules.units == 10**6
    assert policy.rules.measure is Measure.ZCDP
    assert policy.rules.per_project.delta_fraction == Fraction(5, 10**7) - Fraction(1, 10**7)
    assert policy.rules.per_answer.fits(policy.rules.per_project)
    assert policy.rules.per_project.fits(policy.rules.per_dataset)
    assert policy.rules.keys_delta == Fraction(1, 10**8)
    assert policy.rules.default_epsilon == Fraction(1, 2)


def test_a_lead_needs_what_a_researcher_needs_unless_it_says_more():
    people = compiled().people
    assert people[Role.LEAD] == people[Role.RESEARCHER]
    more = compiled(
        changed("acr: [mfa, local]}\n", "acr: [mfa, local]}\n  lead: {needs: [accreditation], acr: [mfa]}\n")
    )
    assert more.people[Role.LEAD].acr == {"mfa"}


def test_a_hidden_table_answers_like_an_unknown_one():
    catalogue = compiled().catalogue
    assert catalogue.tables["diary"].access is Access.HIDDEN
    assert catalogue.table("diary") is None is catalogue.table("nothing_like_it")


def test_a_pure_policy_has_no_delta():
    text = changed("measure: zcdp", "measure: pure").replace("  delta: {conversion: 1e-7, keys: 1e-8}\n", "")
    for delta in (", delta: 2e-7", ", delta: 5e-7", ", delta: 1e-6"):
        text = text.replace(delta, "")
    rules = compiled(text).rules
    assert rules.measure is Measure.PURE
    assert (rules.per_project.amount, rules.per_project.delta, rules.conversion_delta) == (5 * 10**9, 0, 0)


def test_a_unit_found_through_a_link_gets_its_column():
    text = MINIMAL + (
        "  bill:\n    access: private\n    unit: {through: visit_id, to: visit.visit_id}\n"
        "    rows per person: 500\n    magnitude: 1e6\n    only rows where: {about: [visit]}\n"
        "    rows of unknown people: leave out\n    optional: true\n"
        "    columns:\n      visit_id: {class: ordinary, type: integer}\n"
        "      about: {class: ordinary, type: text(9)}\n"
    )
    bill = compiled(text).catalogue.tables["bill"]
    assert bill.unit == "person_id"
    assert bill.columns["person_id"].klass is ColumnClass.UNIT_KEY
    assert bill.unit_via == Link(("visit_id",), "visit", ("visit_id",))
    assert bill.only_rows == (("about", ("visit",)),)
    assert bill.drop_unknown_units
    assert bill.optional


def test_what_a_version_lacks_cannot_be_named_and_no_link_rests_on_it():
    catalogue = compiled().catalogue
    at = with_version(catalogue, "v_1", {"visit": 400}, {"concept": 444}, absent={"site", "visit.note"})
    assert at.version == "v_1"
    assert at.table("site") is None
    assert at.tables["visit"].links == ()
    assert "note" not in at.tables["visit"].columns
    assert (at.tables["visit"].enforced_rows, at.tables["concept"].public_rows) == (400, 444)
    assert catalogue.tables["visit"].links, "the policy's own catalogue stays as it is"


def test_digests_follow_the_content_and_not_its_layout():
    plain = compiled()
    spaced = compiled("# a comment\n" + MINIMAL.replace("epsilon: 5,", "epsilon: 5.0,  ").replace("1e-8", "0.00000001"))
    assert spaced.digest == plain.digest
    dearer = compiled(changed("epsilon: 5,", "epsilon: 6,"))
    assert dearer.digest != plain.digest
    assert dearer.catalogue.digest == plain.catalogue.digest, "a version made under one holds for the other"
    assert compiled(changed("rows per person: 500", "rows per person: 499")).catalogue.digest != plain.catalogue.digest
