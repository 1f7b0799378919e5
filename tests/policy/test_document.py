"""A document is read exactly or refused: every fault at once, each with its code, line and remedy."""

from decimal import Decimal
from pathlib import Path

import pytest

from tests.policy.documents import MINIMAL, changed, line_of
from tre.policy import DocumentRefused, lint, load_policy
from tre.policy.text import LARGEST, read_yaml


def found(text: str) -> list[tuple[str, int]]:
    """Code and line of every finding."""
    return [(one.refusal.reason.code, one.refusal.place.line if one.refusal.place else 0) for one in lint(text)]


def refused_at(old: str, new: str) -> tuple[list[tuple[str, int]], int]:
    text = changed(old, new)
    return found(text), line_of(text, next(line for line in new.splitlines() if line.strip()))


def test_the_minimal_policy_is_valid_without_a_remark():
    assert lint(MINIMAL) == ()


# ---- The text

TEXTS = [
    ("policy.duplicate-key", changed("  measure: zcdp", "  measure: zcdp\n  measure: pure")),
    ("policy.duplicate-key", changed("      nhs_number:", "      person_id: {class: ordinary}\n      nhs_number:")),
    ("policy.alias", changed("policy: small", "policy: &name small")),
    ("policy.alias", changed("{title: A small data set}", "&r {title: *r}")),
    ("policy.tag", changed("policy: small", "policy: !!str small")),
    ("policy.tag", changed("policy: small", "policy: !!python/object/apply:os.system [ls]")),
    ("policy.yaml", MINIMAL + "\tpeople: tab\n"),
    ("policy.yaml", "%YAML 1.1\n---\n" + MINIMAL),
    ("policy.yaml", changed("policy: small", "? [small, list]\n: policy")),
    ("policy.yaml", changed("policy: small", "policy: 'small")),
    ("policy.several-documents", MINIMAL + "---\n" + MINIMAL),
]


@pytest.mark.parametrize(("code", "text"), TEXTS)
def test_what_yaml_readers_take_silently_is_refused_with_its_line(code, text):
    (first, line), *_ = found(text)
    assert first == code
    assert line > 0


def test_a_second_epsilon_is_refused_and_says_where_the_first_stands():
    text = changed("  per project: {epsilon: 5, delta", "  per project: {epsilon: 5, epsilon: 500, delta")
    (finding,) = lint(text)
    assert finding.refusal.reason.code == "policy.duplicate-key"
    assert f"line {line_of(text, 'per project')}" in finding.refusal.sentence
    assert finding.refusal.place.column == text.splitlines()[finding.refusal.place.line - 1].rindex("epsilon") + 1


def test_an_alias_bomb_is_refused_before_it_grows():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30)]
    assert {code for code, _ in found("\n".join(lines))} == {"policy.alias"}


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("policy.empty", ""),
        ("policy.empty", "# nothing but a comment\n"),
        ("policy.too-large", "a: " + "x" * LARGEST),
        ("policy.too-deep", "a: " + "[" * 5000),
        ("policy.yaml", "a: \x00"),
        ("policy.yaml", "a: \ud800"),
        ("policy.value", "just words"),
        ("policy.value", "[a, list]"),
    ],
)
def test_what_is_no_policy_at_all_is_refused(code, text):
    assert {one for one, _ in found(text)} == {code}


def test_files_that_cannot_be_read_are_refused(tmp_path: Path):
    (tmp_path / "latin.yaml").write_bytes(MINIMAL.replace("Northfield", "N\xf6rd").encode("latin-1"))
    assert [f.refusal.reason.code for f in lint(tmp_path / "latin.yaml")] == ["policy.encoding"]
    assert [f.refusal.reason.code for f in lint(tmp_path / "none.yaml")] == ["policy.no-file"]
    (tmp_path / "good.yaml").write_text("\ufeff" + MINIMAL, encoding="utf-8")
    assert lint(tmp_path / "good.yaml") == ()


def test_scalars_are_read_by_yaml_1_2_and_numbers_stay_exact():
    text = "[no, yes, on, NO, true, ~, 012, 0x1f, 1_000, 1e-7, 0.1, 2026-01-01, .inf, 12:30:45, '7', 1e999]"
    assert read_yaml(text).content == [
        "no", "yes", "on", "NO", True, None, 12, "0x1f", "1_000", Decimal("1e-7"), Decimal("0.1"),
        "2026-01-01", ".inf", "12:30:45", "7", "1e999",
    ]  # fmt: skip


def test_norway_stays_norway_and_yes_is_no_boolean():
    text = changed("type: text(20)}\n  concept", "type: text(20), domain: [NO, SE]}\n  concept")
    assert load_policy(text).model.tables["site"].columns["region"].domain == ["NO", "SE"]
    assert refused_at("optional: true}", "optional: yes}")[0][0][0] == "policy.value"


# ---- The form: each part of a policy, wrong in one way

FORMS = [
    ("policy.value", "policy: small", "policy: Small Policy"),
    ("policy.value", "policy: small", "policy: 7"),
    ("policy.value", "contact: data-access@northfield.example", "contact: ''"),
    ("policy.missing", "register: {title: A small data set}", "register: {description: no title}"),
    ("policy.unknown-key", "register: {title: A small data set}", "register: {title: A, colour: red}"),
    ("policy.value", "gdpr 6: 6(1)(e)", "gdpr 6: 6(1)(z)"),
    ("policy.value", "gdpr 9: 9(2)(j)", "gdpr 9: yes"),
    ("policy.value", "allowed: [DUO:0000006]", "allowed: [DUO:6]"),
    ("policy.value", "allowed: [DUO:0000006]", "allowed: []"),
    ("policy.value", "never: [insurance]", "never: insurance"),
    ("policy.value", "never: [insurance]", "conditions: [profit], never: [insurance]"),
    ("policy.value", "needs: [accreditation, ig-training]", "needs: [Accreditation!]"),
    ("policy.value", "acr: [mfa, local]", "acr: []"),
    ("policy.unknown-key", "  researcher: {", "  stranger: {needs: [], acr: [mfa]}\n  researcher: {"),
    ("policy.value", "unit: {table: person,", "unit: {table: Person,"),
    ("policy.missing", "unit: {table: person, key: person_id}", "unit: {table: person}"),
    ("policy.value", "measure: zcdp", "measure: renyi"),
    ("policy.value", "{epsilon: 1, by default", "{epsilon: 0, by default"),
    ("policy.value", "{epsilon: 1, by default", "{epsilon: '1', by default"),
    ("policy.value", "by default: 0.5", "by default: no"),
    ("policy.value", "{epsilon: 5, delta: 5e-7}", "{epsilon: 5, delta: 1}"),
    ("policy.missing", "{epsilon: 5, delta: 5e-7}", "{delta: 5e-7}"),
    ("policy.value", "keys: 1e-8", "keys: -1e-8"),
    ("policy.value", "conversion: 1e-7", "conversion: true"),
    ("policy.value", "minimum group: 10", "minimum group: few"),
    ("policy.value", "minimum group: 10", "minimum group: 10.5"),
    ("policy.value", "groups per person: 5", "groups per person: automatic"),
    ("policy.value", "release every: 250 ms", "release every: 250"),
    ("policy.value", "release every: 250 ms", "known keys: 0"),
    ("policy.value", "release every: 250 ms", "most rows per person: 1e17"),
    ("policy.value", "release every: 250 ms", "most rows: true"),
    ("policy.value", "concept: {class: sensitive", "concept: {class: secret"),
    ("policy.value", "    access: attribute", "    access: shared"),
    ("policy.value", "    unit: person_id\n    rows per person: 1\n",
     "    unit: {through: a}\n    rows per person: 1\n"),
    ("policy.value", "rows per person: 500", "rows per person: -1"),
    ("policy.value", "usual rows: 20", "usual rows: [20]"),
    ("policy.value", "magnitude: 100 million rows", "magnitude: many rows"),
    ("policy.value", "unique: [visit_id]", "unique: [[]]\n    optional: 1"),
    ("policy.value", "links: {site_id: site.site_id}", "links: {site_id: site}"),
    ("policy.value", "links: {site_id: site.site_id}", "links: [site_id]"),
    ("policy.value", "links: {site_id: site.site_id}", "rows of unknown people: keep"),
    ("policy.value", "links: {site_id: site.site_id}", "only rows where: {visit_id: 3}"),
    ("policy.value", "      year_of_birth:", "      Year-Of-Birth:"),
    ("policy.value", "type: integer, bounds: [1900, 2026]", "type: number, bounds: [1900, 2026]"),
    ("policy.value", "type: integer, bounds: [1900, 2026]", "type: integer, bounds: 1900"),
    ("policy.value", "granularity: 0.1", "granularity: 0"),
    ("policy.value", "domain: [8507, 8532]", "domain: 8507"),
    ("policy.value", "calendar: [2000-01-01, 2029-12-31]", "calendar: [2000-01-01, 2029-02-30]"),
    ("policy.value", 'type: "decimal(12, 2)"', 'type: "decimal(12)"'),
    ("policy.value", 'type: "decimal(12, 2)"', "type: integer(4)"),
    ("policy.value", "type: text(255)", "type: text(0)"),
    ("policy.value", "{class: ordinary, type: text(255)}", "[a, list]"),
    ("policy.unknown-key", "granularity: 0.1", "granularit: 0.1"),
    ("policy.value", "optional: true}", "never empty: maybe}"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "old", "new"), FORMS)
def test_every_part_of_a_policy_is_checked_and_the_line_is_told(code, old, new):
    codes, line = refused_at(old, new)
    assert any(one == code and at in (line, line + 1) for one, at in codes), codes


NOT_YET = [
    ("policy.not-yet-opt-out", "policy: small", "policy: small\nopt-out list: {file: list.csv, maximum age: 7 days}"),
    ("policy.not-yet-extracts", "policy: small", "policy: small\nextracts: {k: 5, l: 2}"),
    ("policy.not-yet-disclosure", "policy: small", "policy: small\ndisclosure profile: strict10"),
    ("policy.not-yet-disclosure", "minimum group: 10", "minimum group: 10, secondary suppression: true"),
    ("policy.not-yet-retention", "policy: small", "policy: small\nretention: 5 years"),
    ("policy.not-yet-ledger", "  measure: zcdp", "  measure: zcdp\n  per researcher: {epsilon: 2, delta: 1e-6}"),
    (
        "policy.not-yet-identifier-type",
        "nhs_number: {class: direct identifier}",
        "nhs_number: {class: direct identifier, type: postcode}",
    ),
]


@pytest.mark.parametrize(("code", "old", "new"), NOT_YET)
def test_what_nothing_enforces_yet_is_refused_by_its_own_code_and_never_ignored(code, old, new):
    (finding,) = lint(changed(old, new))
    assert finding.refusal.reason.code == code
    assert finding.refusal.reason.kind.name == "NOT_YET"


def test_all_errors_are_told_at_once_in_reading_order():
    text = changed("measure: zcdp", "measure: renyi").replace("class: ordinary", "class: plain")
    codes = found(text)
    assert len(codes) == 1 + text.count("class: plain")
    assert [line for _, line in codes] == sorted(line for _, line in codes)


def test_a_finding_shows_file_line_caret_and_remedy():
    with pytest.raises(DocumentRefused) as refused:
        load_policy(changed("measure: zcdp", "measure: renyi"), "northfield.yaml")
    shown = str(refused.value.findings[0])
    line = line_of(MINIMAL, "measure:")
    assert shown.startswith(f"northfield.yaml:{line}:12: error policy.value: “measure” cannot be read")
    assert "      measure: renyi\n" in shown
    assert "               ^^^^^\n" in shown


def test_an_unknown_key_is_answered_with_the_known_ones():
    (finding,) = lint(changed("minimum group: 10", "smallest group: 10"))
    assert "minimum group" in finding.refusal.remedy
    assert "“smallest group”" in finding.refusal.sentence
