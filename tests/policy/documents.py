"""The smallest policy that says everything it must, and ways to change it."""

MINIMAL = """\
policy: small
controller: {name: Northfield NHS Foundation Trust, contact: data-access@northfield.example}
register: {title: A small data set}
lawful basis: {gdpr 6: 6(1)(e), gdpr 9: 9(2)(j)}
purposes: {allowed: [DUO:0000006], never: [insurance]}
people:
  researcher: {needs: [accreditation, ig-training], acr: [mfa, local]}
unit: {table: person, key: person_id}
budget:
  measure: zcdp
  per answer: {epsilon: 1, by default: 0.5, delta: 2e-7}
  per project: {epsilon: 5, delta: 5e-7}
  data set: {epsilon: 20, delta: 1e-6}
  delta: {conversion: 1e-7, keys: 1e-8}
answers: {minimum group: 10, groups per person: 5, release every: 250 ms}
kinds:
  concept: {class: sensitive, type: integer}
tables:
  person:
    access: private
    unit: person_id
    rows per person: 1
    magnitude: 1 million people
    unique: [person_id]
    columns:
      person_id: {class: unit key, type: integer}
      gender_concept_id: {is: concept, domain: [8507, 8532]}
      year_of_birth: {class: quasi-identifier, type: integer, bounds: [1900, 2026]}
      nhs_number: {class: direct identifier}
  visit:
    access: private
    unit: person_id
    rows per person: 500
    usual rows: 20
    magnitude: 100 million rows
    unique: [visit_id]
    links: {site_id: site.site_id}
    columns:
      visit_id: {class: ordinary, type: integer}
      person_id: {class: unit key, type: integer}
      visit_concept_id: concept
      visit_date:
        class: quasi-identifier
        type: date
        bounds: [1950-01-01, 2029-12-31]
        calendar: [2000-01-01, 2029-12-31]
      cost: {class: sensitive, type: "decimal(12, 2)", bounds: [0, 100000]}
      weight: {class: sensitive, type: double, bounds: [0, 500], granularity: 0.1}
      site_id: {class: ordinary, type: integer}
      note: {class: ordinary, type: text(20), optional: true}
  site:
    access: attribute
    unique: [site_id]
    columns:
      site_id: {class: ordinary, type: integer}
      region: {class: ordinary, type: text(20)}
  concept:
    access: public
    unique: [concept_id]
    columns:
      concept_id: {class: ordinary, type: integer}
      concept_name: {class: ordinary, type: text(255)}
  diary:
    access: hidden
"""


def changed(old: str, new: str) -> str:
    """The minimal policy with one piece of text replaced; the piece must stand there once."""
    assert MINIMAL.count(old) == 1, f"{old!r} stands there {MINIMAL.count(old)} times"
    return MINIMAL.replace(old, new)


def line_of(text: str, piece: str) -> int:
    """The number of the first line that holds `piece`."""
    return next(i for i, line in enumerate(text.splitlines(), 1) if piece in line)
