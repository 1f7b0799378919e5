"""Reasons for which a policy document is refused. Their reader is the data controller, who may see the document."""

from tre.base.reasons.form import Kind, reason

_UNREADABLE, _WRONG, _NOT_YET = Kind.USAGE, Kind.UNPROCESSABLE, Kind.NOT_YET

# The text

NO_FILE = reason("policy.no-file", _UNREADABLE, "The document {name} cannot be read.", "Name a readable file.")
ENCODING = reason(
    "policy.encoding", _UNREADABLE, "The document is not UTF-8 text.", "Save it as UTF-8 and lint it again."
)
TOO_LARGE = reason(
    "policy.too-large",
    Kind.TOO_LARGE,
    "The document is larger than {limit} characters.",
    "One document describes one data set; a policy of OMOP's 40 tables takes an eighth of that.",
)
TOO_DEEP = reason(
    "policy.too-deep", _UNREADABLE, "The document nests more than {limit} levels deep.", "No part of a policy does."
)
YAML = reason(
    "policy.yaml",
    _UNREADABLE,
    "This is not YAML: {problem}.",
    "Mend the line; look for a missing colon, quote or bracket, or a tab used as indent.",
)
SEVERAL = reason(
    "policy.several-documents",
    _UNREADABLE,
    "The file holds more than one YAML document.",
    "One file holds one policy: take out the line that starts the second.",
)
EMPTY = reason("policy.empty", _UNREADABLE, "The document says nothing.", "Start from policies/omop.yaml.")
DUPLICATE = reason(
    "policy.duplicate-key",
    _WRONG,
    "“{key}” stands here twice; the first is in line {first}.",
    "Keep one of the two.",
    "Many YAML readers take the last one silently, so that a budget could be read otherwise than it was approved.",
)
ALIAS = reason(
    "policy.alias",
    _WRONG,
    "Anchors and aliases (& and *) are not read in a policy.",
    "Write it out, or name it once under “kinds”.",
    "A policy must be readable aloud from top to bottom, and nested aliases can grow without bound.",
)
TAG = reason("policy.tag", _WRONG, "The tag {tag} is not read in a policy.", "Take the tag out.")

# The form

MISSING = reason("policy.missing", _WRONG, "“{key}” is missing in {where}.", "Add it; policies/README.md says how.")
UNKNOWN_KEY = reason("policy.unknown-key", _WRONG, "“{key}” means nothing in {where}.", "Known here: {known}.")
VALUE = reason("policy.value", _WRONG, "“{key}” cannot be read: {problem}.", "Correct the value.")

# What no part of the system enforces yet: refused, never ignored

OPT_OUT = reason(
    "policy.not-yet-opt-out",
    _NOT_YET,
    "An opt-out list (“{key}”) is not enforced yet.",
    "Take the people out before the data are added, then take this out of the policy.",
)
EXTRACTS = reason(
    "policy.not-yet-extracts",
    _NOT_YET,
    "Row-level extracts (“{key}”) do not exist yet, so no rule for them is enforced.",
    "Take it out; until then nobody can have an extract.",
)
DISCLOSURE = reason(
    "policy.not-yet-disclosure",
    _NOT_YET,
    "Outputs that are not differentially private (“{key}”) do not exist yet, so no profile for them is enforced.",
    "Take it out; “minimum group” under “answers” holds for what is answered.",
)
RETENTION = reason(
    "policy.not-yet-retention",
    _NOT_YET,
    "Retention (“{key}”) is not enforced yet.",
    "Take it out, or say as a sentence in “register: retention” what your organisation does.",
)
LEDGER = reason(
    "policy.not-yet-ledger",
    _NOT_YET,
    "A budget “{key}” is not enforced yet.",
    "Take it out; projects and the data set have budgets.",
)
IDENTIFIER_TYPE = reason(
    "policy.not-yet-identifier-type",
    _NOT_YET,
    "Identifiers of type {type} are not checked or replaced by pseudonyms yet.",
    "Leave the type out, or write nhs-number or local-number: a direct identifier is never copied.",
)

# Tables, units and links

UNIT_TABLE = reason(
    "policy.unit-table",
    _WRONG,
    "The unit's table {table} is not declared as a private table.",
    "Declare it with “access: private”, or name another table under “unit”.",
)
UNIT_KEY = reason(
    "policy.unit-key",
    _WRONG,
    "The unit's key {column} must be a column of {table} with “class: unit key”, a type, and a place under “unique”.",
    "Declare it, or name another key under “unit”.",
)
UNIT_TYPE = reason(
    "policy.unit-type",
    _WRONG,
    "The unit key {column} has type {type}; it must be {wanted}.",
    "Unit keys are integers or texts, of one type in all tables.",
)
NO_UNIT = reason(
    "policy.no-unit",
    _WRONG,
    "The private table {table} does not say whose rows it holds.",
    "Add “unit: COLUMN”, or “unit: {{through: COLUMN, to: TABLE.COLUMN}}”, or hide the table.",
)
UNIT_NOT_HERE = reason(
    "policy.unit-not-here",
    _WRONG,
    "“{key}” belongs to private tables; {table} is {access}.",
    "Take it out, or make the table private.",
)
SECOND_UNIT = reason(
    "policy.second-unit-key",
    _WRONG,
    "{column} is a unit key but not the unit of {table}.",
    "A row that names a second person links two people: declare the column a direct identifier or hide the table.",
)
THROUGH = reason(
    "policy.unit-through",
    _WRONG,
    "The unit of {table} cannot be found through {target}: {problem}.",
    "The way must lead to a unique column of a private table that has a unit column of its own.",
)
NO_CAP = reason(
    "policy.no-cap",
    _WRONG,
    "The private table {table} does not say “{key}” as a number.",
    "Declare it: it is enforced, never found out from the data.",
)
USUAL = reason(
    "policy.usual-rows",
    _WRONG,
    "In {table} the usual rows of a person ({usual}) exceed the most rows of a person ({most}).",
    "Declare fewer usual rows, or a higher cap.",
)
NO_COLUMN = reason(
    "policy.no-column", _WRONG, "{table} declares no column {column}.", "Declare the column, or name another."
)
NO_TABLE = reason(
    "policy.no-table", _WRONG, "No table {table} is declared that can be asked.", "Declare it, or name another."
)
LINK_TARGET = reason(
    "policy.link-target",
    _WRONG,
    "The link to {target} needs a target that holds each value once.",
    "Add the target's column under “unique” of its table.",
)
LINK_TYPE = reason(
    "policy.link-type",
    _WRONG,
    "The link from {column} ({here}) to {target} ({there}) joins two types.",
    "Declare one type for both.",
)
LINK_INWARD = reason(
    "policy.link-inward",
    _WRONG,
    "{table} is {access} and links to the private table {target}.",
    "What is shared by people cannot depend on one of them: take the link out.",
)
ATTRIBUTE_KEY = reason(
    "policy.attribute-key",
    _WRONG,
    "The attribute table {table} has no column under “unique”.",
    "It is only ever looked up by a unique key: declare it.",
)

# Columns

NO_KIND = reason("policy.no-kind", _WRONG, "No kind “{kind}” is declared.", "Declare it under “kinds”; known: {known}.")
UNCLASSED = reason(
    "policy.unclassed",
    _WRONG,
    "{column} does not say its class.",
    "Add a class: unit key, direct identifier, quasi-identifier, sensitive or ordinary.",
)
UNTYPED = reason("policy.untyped", _WRONG, "{column} does not say its type.", "Types are declared, never found out.")
IDENTIFIER = reason(
    "policy.identifier-detail",
    _WRONG,
    "{column} is a direct identifier, so “{key}” would have no effect.",
    "Direct identifiers are never copied: take it out, or change the class.",
)
NOT_AN_IDENTIFIER = reason(
    "policy.not-an-identifier",
    _WRONG,
    "{column} has the type {type}, and its class is not direct identifier.",
    "Write `class: direct identifier`, or a type of values that may be asked for.",
    "Values of this type name people. They are never copied; tokens can be made in their place.",
)
IDENTIFIER_PLACE = reason(
    "policy.identifier-place",
    _WRONG,
    "{column} has the type {type}, and does not stand in {table}, the table of people.",
    "Leave the type out: tokens are made of what stands once for each person.",
)
IDENTIFIER_TWICE = reason(
    "policy.identifier-twice",
    _WRONG,
    "{column} and {other} both have the type {type}.",
    "Leave the type of one of them out: each person has one token of a type.",
)
OPTIONAL_KEY = reason(
    "policy.optional-key",
    _WRONG,
    "{column} may be missing from the data, yet {table} depends on it.",
    "Take “optional” out: units, unique keys and admitted rows cannot be missing.",
)
NOT_FOR_TYPE = reason(
    "policy.not-for-type",
    _WRONG,
    "“{key}” has no meaning for {column}, which is {type}.",
    "Take it out, or change the type.",
)
LITERAL = reason(
    "policy.literal", _WRONG, "{value} is no {type}, which {column} is.", "Write a value of the column's type."
)
BOUNDS = reason(
    "policy.bounds", _WRONG, "The {what} of {column}: the first end is above the second.", "Write the lower end first."
)
DOMAIN = reason(
    "policy.domain",
    _WRONG,
    "The value {value} of {column} lies outside its bounds.",
    "Bounds clamp before the domain is looked at: widen the bounds or drop the value.",
)
DOMAIN_TWICE = reason(
    "policy.domain-twice", _WRONG, "The value {value} stands twice in the domain of {column}.", "Keep one."
)
CALENDAR = reason(
    "policy.calendar", _WRONG, "The calendar of {column} reaches beyond its bounds.", "Widen the bounds or shorten it."
)
GRANULARITY = reason(
    "policy.granularity",
    _WRONG,
    "{column} is a double with bounds and needs a granularity above 0.",
    "Say the grid on which sums are exact, such as 0.01.",
)
TEXT_LENGTH = reason(
    "policy.text-length",
    _WRONG,
    "{column} is text without a greatest length.",
    "Write text(50): work is bounded before it runs, so a text's length must be.",
)

# Budget and answers

BUDGET_ORDER = reason(
    "policy.budget-order",
    _WRONG,
    "{part} {small} of “{smaller}” exceeds that of “{larger}” ({large}).",
    "An answer fits in a project's budget and that in the data set's.",
)
BUDGET_DELTA = reason(
    "policy.budget-delta",
    _WRONG,
    "The delta of “{level}” ({delta}) is smaller than its parts ({parts}).",
    "The delta of an answer covers “conversion” and “keys”, every other one at least “conversion”.",
)
PURE_DELTA = reason(
    "policy.pure-delta", _WRONG, "Pure differential privacy has no delta.", "Take “delta” out, or use “measure: zcdp”."
)
NO_DELTA = reason(
    "policy.no-delta", _WRONG, "“{key}” is missing: zCDP budgets have a delta.", "Add it, such as “delta: 1e-6”."
)
GROUP = reason(
    "policy.minimum-group", _WRONG, "A minimum group of {size} protects nobody.", "Ask for at least 2; 10 is usual."
)

# Warnings: the document is valid, and a second look is worth it

UNUSED_KIND = reason("policy.unused-kind", _WRONG, "The kind “{kind}” is not used.", "Take it out, or use it.")
LARGE_DELTA = reason(
    "policy.large-delta",
    _WRONG,
    "The data set's delta ({delta}) exceeds one in {people} people.",
    "Delta should stay below one over the number of people.",
)
SMALL_GROUP = reason("policy.small-group", _WRONG, "A minimum group of {size} is small.", "10 is usual; 5 the least.")
WIDE_DOMAIN = reason(
    "policy.wide-domain",
    _WRONG,
    "The domain of {column} has {size} values, more than the {limit} known keys that an answer may enumerate.",
    "Raise “known keys”, or its groups are treated as unknown and pay a delta.",
)
MAGNITUDE = reason(
    "policy.magnitude",
    _WRONG,
    "{table} may hold {rows} rows, more than {people} people can have at {most} rows each.",
    "Lower the magnitude: limits on work and the time of release follow from it.",
)
