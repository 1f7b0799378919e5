"""Reasons of the privacy core: what cannot be measured, or not at the price that was offered."""

from tre.base.reasons.form import Kind, reason

NO_BOUND = reason(
    "privacy.no-bound",
    Kind.UNPROCESSABLE,
    "Nothing bounds what one person adds to {output}: neither the policy nor the request.",
    "Ask with a bound: `rows` for the rows of one person, or `totals` for one person's contribution to {output}.",
    "Noise is scaled to the most that one person can change. Bounds are declared, never read from the data.",
)
NO_BOUND_OF_VALUES = reason(
    "privacy.no-bound-of-values",
    Kind.UNPROCESSABLE,
    "Nothing bounds the values of which {output} is a quantile.",
    "Narrow them in the query, as in MEDIAN(LEAST(GREATEST(x, 0), 500)), or ask for bounds to be declared.",
    "A quantile is looked for between public bounds. They are declared, never read from the data.",
)
NO_GROUPS_BOUND = reason(
    "privacy.no-groups-bound",
    Kind.UNPROCESSABLE,
    "Nothing bounds the number of groups in which one person can be counted.",
    "Ask with `groups`, the most groups of one person, or group by a column that has one value for each person.",
    "People in more groups than the bound are kept in some of them, chosen by a keyed hash.",
)
AUTOMATIC_GROUPS = reason(
    "privacy.automatic-groups",
    Kind.UNPROCESSABLE,
    "The policy lets no first step measure how many groups of one person should count.",
    "Ask with a number of `groups`, or leave it out: then the policy's bound counts.",
)
FIRST_STEP_PRICE = reason(
    "privacy.first-step-price",
    Kind.BUDGET,
    "The first step that measures the groups of one person costs more than half of what the answer may.",
    "Offer an epsilon of at least {least}, or ask with a number of `groups`.",
    "A first step has a fixed price, so that its one measurement serves every request; ROLLUP and CUBE take one for "
    "each grouping in which a person may stand in several groups.",
)
BOUND_NOT_POSITIVE = reason(
    "privacy.bound-not-positive",
    Kind.UNPROCESSABLE,
    "The bound `{bound}` of the request is below one.",
    "Ask with a whole number of at least one.",
)
NO_SUCH_OUTPUT = reason(
    "privacy.no-such-output",
    Kind.UNPROCESSABLE,
    "The request bounds {output}, but the query asks for no SUM of that name.",
    "Name the output of a SUM as it stands in the query.",
)
TOTAL_OUTSIDE = reason(
    "privacy.total-outside",
    Kind.UNPROCESSABLE,
    "The bound asked for {output} lies outside what one person can contribute by declaration.",
    "Ask for an interval that overlaps the declared one, from {low} to {high}.",
)
OVERFLOW = reason(
    "privacy.overflow",
    Kind.UNPROCESSABLE,
    "In the worst case {output} does not fit the exact integers in which it is summed.",
    "Narrow the bounds, or sum a rounded or scaled value.",
    "Sums are integers on a grid, so that they are exact in any order; the worst case must fit 62 bits.",
)
EPSILON_TOO_LARGE = reason(
    "privacy.epsilon-too-large",
    Kind.BUDGET,
    "The answer would cost more than the policy allows for one answer.",
    "Ask with an epsilon of at most {most}.",
)
DELTA_TOO_LARGE = reason(
    "privacy.delta-too-large",
    Kind.BUDGET,
    "Releasing unknown group names would cost more delta than the policy allows for one answer.",
    "Group by columns whose values are declared or come from a public table.",
)
EPSILON_NOT_POSITIVE = reason(
    "privacy.epsilon-not-positive",
    Kind.UNPROCESSABLE,
    "The epsilon of the request is not above zero.",
    "Ask with a positive epsilon, or with none to take the policy's default.",
)
UNKNOWN_KEYS = reason(
    "privacy.unknown-keys",
    Kind.UNPROCESSABLE,
    "The values of a grouping column are not known in advance, and this data set never releases unknown ones.",
    "Group by columns whose values are declared or come from a public table.",
    "Releasing a value that nobody declared needs a delta, and pure differential privacy has none.",
)
TOO_MANY_KEYS = reason(
    "privacy.too-many-keys",
    Kind.UNPROCESSABLE,
    "The query would return more known groups than the {limit} that the policy allows.",
    "Group by fewer or coarser columns.",
)
KEY_TYPE = reason(
    "privacy.key-type",
    Kind.UNPROCESSABLE,
    "{key} is a floating-point number, and equality of those groups nothing.",
    "Group by a rounded value cast to an integer or a decimal.",
)
ACCURACY_UNKNOWN = reason(
    "privacy.accuracy-unknown",
    Kind.UNPROCESSABLE,
    "The error of {output} is not known before it is measured, so no price can be named for it.",
    "Name an epsilon, or ask for the counts and sums that it is made of.",
    "The error of a count or a sum follows from its bounds and its price, and that of an average of a whole table from "
    "its noisy size besides. That of another average, a spread, a quantile or an expression over several numbers "
    "follows from their values too: a pilot prices it, where it is a number and answers may be refined, which they are "
    "not under pure differential privacy.",
)
ACCURACY_FIRST_STEP = reason(
    "privacy.accuracy-first-step",
    Kind.UNPROCESSABLE,
    "The error depends on the groups of one person, which the first step has not measured yet.",
    "Ask once with an epsilon: the first step is kept, and then an accuracy has a price; or name a number of `groups`.",
)
ACCURACY_NOT_SHOWN = reason(
    "privacy.accuracy-not-shown",
    Kind.UNPROCESSABLE,
    "The query measures something of which it shows no number, so no accuracy can be asked of that.",
    "Name an epsilon, or select the number itself.",
)
ACCURACY_GROUPS = reason(
    "privacy.accuracy-groups",
    Kind.UNPROCESSABLE,
    "The number of groups is not known beforehand, so no price holds for all of them at once.",
    "Leave out `all`: each number has its own interval then; or group by columns whose values are declared.",
)
ACCURACY_TOO_FINE = reason(
    "privacy.accuracy-too-fine",
    Kind.BUDGET,
    "{asked} costs more than this answer may: the most that may be spent on it brings about {finest}.",
    "Ask for less accuracy, narrow the bounds, or group by fewer columns.",
)
