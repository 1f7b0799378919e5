"""Reasons that names and the unit-tracing rules give (PRIVACY §2): families "names" and "private"."""

from tre.base.reasons.form import Kind, reason

_TRACING = (
    "A private relation must be such that each row belongs to one person and follows from that person's rows and "
    "public tables alone; otherwise one person could change the rows of others, and no noise would hide that."
)

# --- names ------------------------------------------------------------------------------------------------

UNKNOWN_TABLE = reason(
    "names.unknown-table",
    Kind.UNPROCESSABLE,
    "There is no table “{name}” in this data set that you may query.",
    "Use one of: {choices}.{hint}",
    "Tables that the policy hides or does not name answer exactly like tables that do not exist.",
)
UNKNOWN_COLUMN = reason(
    "names.unknown-column",
    Kind.UNPROCESSABLE,
    "There is no column “{name}” here that you may query.",
    "Use one of: {choices}.{hint}",
    "Columns that the policy does not list, and direct identifiers, answer exactly like columns that do not exist.",
)
UNKNOWN_ALIAS = reason(
    "names.unknown-alias",
    Kind.UNPROCESSABLE,
    "Nothing in FROM is called “{name}” here.",
    "Use one of: {choices}.",
)
AMBIGUOUS = reason(
    "names.ambiguous-column",
    Kind.UNPROCESSABLE,
    "The column “{name}” could come from {choices}.",
    "Write which one is meant, as in {example}.",
)
TWICE = reason(
    "names.alias-twice",
    Kind.UNPROCESSABLE,
    "The name “{name}” is given twice in one FROM or WITH.",
    "Give one of them another name, as in {name} AS {name}2.",
)
COLUMN_LIST = reason(
    "names.column-list",
    Kind.UNPROCESSABLE,
    "The list of column names has {given} names for {wanted} columns.",
    "Name every column once.",
)
NOT_GROUPED = reason(
    "names.not-grouped",
    Kind.UNPROCESSABLE,
    "“{name}” is neither grouped by nor inside an aggregate.",
    "Add {name} to GROUP BY, or use it inside COUNT, SUM or AVG.",
)
POSITION = reason(
    "names.position",
    Kind.UNPROCESSABLE,
    "Position {position} is not one of the {width} columns of the SELECT list.",
    "Use a number from 1 to {width}, or the column's name.",
)
AGGREGATE_HERE = reason(
    "names.aggregate-here",
    Kind.UNPROCESSABLE,
    "An aggregate cannot stand in {where}.",
    "Conditions on aggregates go to HAVING; an aggregate of an aggregate needs a derived table.",
)
WINDOW_HERE = reason(
    "names.window-here",
    Kind.UNPROCESSABLE,
    "A window function cannot stand in {where}.",
    "Give it a name in a derived table, and use that, as in FROM (SELECT …, … OVER (…) AS w FROM …) q WHERE q.w = 1.",
)
WINDOW_UNKNOWN = reason(
    "names.unknown-window",
    Kind.UNPROCESSABLE,
    "No window is called “{name}” here.",
    "Define it after FROM and WHERE, as in WINDOW {name} AS (PARTITION BY … ORDER BY …), or write OVER (…).",
)
NOT_BOOLEAN = reason(
    "names.not-a-condition",
    Kind.UNPROCESSABLE,
    "A condition must be true or false; this is of type {type}.",
    "Compare it with something, as in … = 1 or … IS NOT NULL.",
)
NOT_A_NUMBER = reason(
    "names.not-a-number",
    Kind.UNPROCESSABLE,
    "{function} adds numbers; this is of type {type}.",
    "Use COUNT, or turn it into a number with CASE WHEN … THEN 1 ELSE 0 END.",
)
ONE_COLUMN = reason(
    "names.one-column",
    Kind.UNPROCESSABLE,
    "The subquery of IN must have one column; this one has {width}.",
    "Select only the column that is compared.",
)
SET_WIDTH = reason(
    "names.set-width",
    Kind.UNPROCESSABLE,
    "One side of {kind} has {left} columns, the other {right}.",
    "Select as many on both sides, in the same order.",
)
SET_TYPES = reason(
    "names.set-types",
    Kind.UNPROCESSABLE,
    "Column {place} of {kind} is of type {left} on one side and {right} on the other.",
    "CAST one of them, or select the columns in the same order.",
)
SET_ORDER = reason(
    "names.set-order",
    Kind.UNPROCESSABLE,
    "ORDER BY after {kind} can only name columns of the result.",
    "Use a name of the first SELECT list, or a position, as in ORDER BY 1.",
)
WHOLE_NUMBER = reason(
    "names.whole-number",
    Kind.UNPROCESSABLE,
    "{clause} takes a whole number that is not negative.",
    "Write, for example, {clause} 10.",
)
NO_COLUMNS = reason(
    "names.no-columns",
    Kind.UNPROCESSABLE,
    "The query selects nothing.",
    "Name at least one column or aggregate.",
)

# --- what the tracing rules refuse ------------------------------------------------------------------------

JOIN_WITHOUT_UNIT = reason(
    "private.join-without-unit",
    Kind.UNPROCESSABLE,
    "Two tables of patients are joined without saying that the rows are of the same person.",
    "Add AND {left} = {right} to the join's condition.",
    _TRACING,
)
JOIN_NULLABLE_KEY = reason(
    "private.join-on-nullable-key",
    Kind.UNPROCESSABLE,
    "Two tables of patients are joined by a key that may be missing, because it comes from the right side of a "
    "LEFT JOIN.",
    "Use the key of the side that is kept: {left} = {right}.",
    "After an outer join the nullable side's key is an ordinary column: one person's rows could decide which rows of "
    "others match.",
)
OUTER_KEEPS_OTHER = reason(
    "private.outer-join-keeps-other",
    Kind.UNPROCESSABLE,
    "This LEFT JOIN keeps rows of a table that is not private, so its result is not a set of persons' rows.",
    "Put the private table first (private LEFT JOIN other), or use an inner JOIN.",
    _TRACING,
)
ATTRIBUTE_ALONE = reason(
    "private.attribute-alone",
    Kind.UNPROCESSABLE,
    "The table “{name}” can only be looked up from a person's row, not read by itself.",
    "Start from a table of patients and join {name} on its key: {key}.",
    "Rows of an attribute table are shared by persons; which rows exist may itself say something about them.",
)
ATTRIBUTE_JOIN = reason(
    "private.attribute-join",
    Kind.UNPROCESSABLE,
    "The table “{name}” may only be joined on its declared unique key ({key}).",
    "Join it by {key} = the column of the private table that refers to it.",
    _TRACING,
)
SUBQUERY_UNTIED = reason(
    "private.subquery-untied",
    Kind.UNPROCESSABLE,
    "The subquery reads other persons' rows: it is not tied to the person of the row around it.",
    "Add AND {left} = {right} to the subquery's WHERE.",
    _TRACING,
)
SUBQUERY_OUTSIDE = reason(
    "private.subquery-outside",
    Kind.UNPROCESSABLE,
    "The subquery reads persons' rows, and the rows around it are public or released: which of them stay would tell "
    "what persons have.",
    "Ask FROM the table of patients, JOIN the public table, and GROUP BY its columns.",
    _TRACING,
)
AGGREGATE_INSIDE = reason(
    "private.aggregate-inside",
    Kind.UNPROCESSABLE,
    "Rows of many persons are put together where only rows of one person may be.",
    "Put the person's key into the inner GROUP BY or DISTINCT.",
)
CORRELATED_AGGREGATE = reason(
    "private.correlated-aggregate",
    Kind.NOT_YET,
    "An aggregate over persons' rows refers to a query around it.",
    "Turn it into a GROUP BY over the column that it refers to.",
)
SEVERAL_AGGREGATES = reason(
    "private.several-aggregates",
    Kind.UNPROCESSABLE,
    "The query needs {count} separate results about persons; one query may ask for {limit}.",
    "Use one GROUP BY with FILTER (WHERE …) on its aggregates, fewer grouping sets, or ask separate queries.",
    "Each separate result gets a share of the query's price, so each of many would be told with a large error.",
)
KEY_LEAVES = reason(
    "private.unit-key-leaves",
    Kind.UNPROCESSABLE,
    "The key of persons, or a value computed from it, would be part of the result.",
    "Use the key only in COUNT(DISTINCT …), in joins, or in the GROUP BY of an inner query.",
)
ROW_LEVEL = reason(
    "private.row-level-output",
    Kind.UNPROCESSABLE,
    "The query would return rows of single persons.",
    "Ask for COUNT, SUM or AVG, with or without GROUP BY.",
    "Row-level data leave only as an approved extract, outside the promise of differential privacy.",
)
LIMIT_INSIDE = reason(
    "private.limit-inside",
    Kind.UNPROCESSABLE,
    "ORDER BY, LIMIT or OFFSET cannot stand over persons' rows.",
    "Filter by a condition on the row itself, or put ORDER BY and LIMIT on the released result.",
    "Whether a row is among the first would depend on the rows of other persons.",
)
SUM_OF_DOUBLES = reason(
    "private.sum-of-doubles-inside",
    Kind.UNPROCESSABLE,
    "Sums within a person must be exact, and this one adds floating-point numbers.",
    "Round them to a fixed scale first: {function}(CAST(… AS DECIMAL(12, 2))).",
    "The sum of doubles depends on the order in which an engine adds them, and so on the rows of others.",
)
SPREAD_INSIDE = reason(
    "private.spread-inside",
    Kind.UNPROCESSABLE,
    "{function} of one person's own values is not answered.",
    "Compute it from exact sums: (SUM(x * x) - SUM(x) * SUM(x) / COUNT(x)) / (COUNT(x) - 1).",
    "Engines compute a spread in floating-point numbers, in an order on which the rows of others may act.",
)
SUM_TOO_WIDE = reason(
    "private.sum-too-wide",
    Kind.UNPROCESSABLE,
    "A sum of values of type {type} could have more than 38 digits.",
    "Cast them to a narrower type first, as in SUM(CAST(… AS DECIMAL(12, 2))).",
    "A sum that overflows is an error, and whether there is an error could tell something about one person.",
)
AGGREGATE_UNSUPPORTED = reason(
    "private.aggregate-unsupported",
    Kind.NOT_YET,
    "{function} over persons' rows is not answered.",
    "Use COUNT, SUM, AVG, VAR_SAMP, STDDEV_SAMP, MEDIAN, PERCENTILE_DISC, MIN or MAX.",
)
QUANTILE_TYPE = reason(
    "private.quantile-type",
    Kind.UNPROCESSABLE,
    "{function} is answered of numbers, dates and timestamps; this is of type {type}.",
    "Ask it of a number or a date, or COUNT(*) by the values.",
    "A quantile is looked for between declared bounds, and only numbers and moments have any.",
)
QUANTILE_TOO_EXTREME = reason(
    "private.quantile-too-extreme",
    Kind.UNPROCESSABLE,
    "Quantiles of persons' rows are answered from 0.005 to 0.995.",
    "Use a fraction in that range; MIN and MAX are answered as its ends.",
    "A value beyond which hardly anybody lies would be that person's own, and noise hides it.",
)
GROUP_BY_DOUBLE = reason(
    "private.group-by-double",
    Kind.UNPROCESSABLE,
    "Persons' rows cannot be grouped by a floating-point number.",
    "Round it first, as in GROUP BY CAST(… AS INTEGER), or make ranges with CASE.",
    "Equal-looking doubles may differ in their last bits, so their groups mean nothing.",
)
TOO_MUCH_WORK = reason(
    "private.too-much-work",
    Kind.UNPROCESSABLE,
    "In the worst case the query makes {rows} rows {of}; the limit is {limit}.",
    "Join fewer tables, join on unique columns, or filter by EXISTS instead of joining.",
    "How long a query runs could otherwise tell whether a certain person is in the data.",
)
TOO_MANY_STEPS = reason(
    "private.too-many-steps",
    Kind.UNPROCESSABLE,
    "The query has more than {limit} steps once every use of a WITH query is written out.",
    "Use fewer subqueries, or ask in parts.",
)
TOO_MUCH_TEXT = reason(
    "private.too-much-text",
    Kind.UNPROCESSABLE,
    "A text in the query may grow to {length} characters; the limit is {limit}.",
    "Shorten it with SUBSTRING, or join fewer texts.",
    "How long a query runs could otherwise tell whether a certain person is in the data.",
)

# --- forms of SQL that are refused by name ----------------------------------------------------------------

WINDOW = reason(
    "private.window",
    Kind.UNPROCESSABLE,
    "{form} is not answered.",
    "Use ROW_NUMBER, RANK, DENSE_RANK, PERCENT_RANK, CUME_DIST, NTILE(n), LAG, LEAD, FIRST_VALUE, LAST_VALUE, "
    "NTH_VALUE(x, n), COUNT, SUM, AVG, MIN or MAX, with constant offsets; over released results VAR and STDDEV too.",
    "Every form that is answered is on a list, so that none can fail, or depend on how an engine works, on any value.",
)
WINDOW_FRAME = reason(
    "private.window-frame",
    Kind.UNPROCESSABLE,
    "{frame} is no frame for {function} here.",
    "Write ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING for the whole partition, or ROWS BETWEEN n "
    "PRECEDING AND n FOLLOWING. RANGE with distances needs one whole number or date in ORDER BY (INTERVAL 'n days').",
    "Where rows tie in the order, which of them is the first or last of a RANGE would be left to the engine.",
)
WINDOW_ACROSS = reason(
    "private.window-across",
    Kind.UNPROCESSABLE,
    "The window reads the rows of many persons: its PARTITION BY is without the person's key.",
    "Add {left} to PARTITION BY. To number or sum released results, aggregate first and put the window around that.",
    _TRACING,
)
WINDOW_PERCENTILE = reason(
    "private.window-percentile",
    Kind.UNPROCESSABLE,
    "A percentile of many persons' rows is counted by hand: rows are numbered by {function} over all persons, and the "
    "number compared with a share.",
    "Ask for the percentile itself: {form}.",
    _TRACING,
)
SET_OPERATION = reason(
    "private.set-operation",
    Kind.NOT_YET,
    "{kind} inside a subquery that speaks of the query around it is not answered.",
    "Use [NOT] EXISTS for each table, or for each grouping set, joined by OR, AND or AND NOT.",
)
SET_MIXED = reason(
    "private.set-mixed",
    Kind.UNPROCESSABLE,
    "One side of {kind} is {one}, the other {other}.",
    "Both sides must be persons' rows, or both public, or both released results: aggregate persons' rows first, or "
    "join the other table to them.",
    _TRACING,
)
SET_KEY = reason(
    "private.set-key",
    Kind.UNPROCESSABLE,
    "{kind} compares rows of many persons: the person's key is not at the same place on both sides.",
    "Select the key on both sides, at the same place: SELECT {left}, … {kind} SELECT {right}, …. "
    "UNION ALL does without.",
    _TRACING,
)
OUTER_JOIN = reason(
    "private.outer-join",
    Kind.NOT_YET,
    "{kind} JOIN is not answered.",
    "Write it as a LEFT JOIN from the table whose rows are kept.",
)
LATERAL = reason(
    "private.lateral",
    Kind.NOT_YET,
    "LATERAL joins and table functions are not answered.",
    "Join the table itself, or use EXISTS.",
)
NATURAL = reason(
    "private.natural-join",
    Kind.UNPROCESSABLE,
    "NATURAL JOIN is not answered, because it joins on columns that it does not name.",
    "Write JOIN … USING (column) or JOIN … ON ….",
)
SAMPLING = reason(
    "private.sampling",
    Kind.UNPROCESSABLE,
    "TABLESAMPLE is refused.",
    "Leave it out: the whole table is read, and noise is added to the result alone.",
    "A random sample would answer the same question differently every time, outside the budget.",
)
RECURSIVE = reason(
    "private.recursive",
    Kind.UNPROCESSABLE,
    "WITH RECURSIVE is refused.",
    "Write the steps out, or use a table of ancestors such as concept_ancestor.",
)
GROUPING_SETS = reason(
    "private.grouping-sets",
    Kind.UNPROCESSABLE,
    "Some grouping sets contain the key of persons and others do not.",
    "Put {left} into every grouping set, as in GROUP BY {left}, ROLLUP (…), or into none.",
    _TRACING,
)
TOO_MANY_GROUPING_SETS = reason(
    "private.too-many-grouping-sets",
    Kind.UNPROCESSABLE,
    "GROUP BY has more than {limit} grouping sets.",
    "Name the sets that you need: GROUPING SETS ((a, b), (a), ()).",
    "A CUBE of n columns has 2 to the power of n sets, and each is an aggregate of its own.",
)
DISTINCT_ON = reason(
    "private.distinct-on",
    Kind.UNPROCESSABLE,
    "DISTINCT ON (…) and ORDER BY begin differently.",
    "Begin ORDER BY with the expressions of DISTINCT ON, as in DISTINCT ON (a) … ORDER BY a, b.",
)
DISTINCT_ON_ACROSS = reason(
    "private.distinct-on-across",
    Kind.UNPROCESSABLE,
    "DISTINCT ON chooses among the rows of many persons: the person's key is not in it.",
    "Choose within each person: DISTINCT ON ({left}, …).",
    _TRACING,
)
SCALAR_SUBQUERY = reason(
    "private.scalar-subquery",
    Kind.NOT_YET,
    "A subquery as a value is not answered in {where}.",
    "Give its value a name in a derived table, as in FROM person p CROSS JOIN (SELECT …) q, and use that.",
)
SCALAR_CORRELATED = reason(
    "private.scalar-correlated",
    Kind.NOT_YET,
    "The subquery stands as a value and speaks of the query around it in another way than by equalities.",
    "Tie it by equalities in its WHERE alone (q.person_id = p.person_id), or join a derived table that is grouped by "
    "the person: LEFT JOIN (SELECT person_id, … GROUP BY person_id) q ON q.person_id = p.person_id.",
)
SCALAR_ROWS = reason(
    "private.scalar-rows",
    Kind.UNPROCESSABLE,
    "The subquery stands as a value, and nothing proves that it has one row at most.",
    "Aggregate without GROUP BY inside it, look a row up by a declared unique key, or take the first one: "
    "ORDER BY … LIMIT 1.",
    "Whether a subquery has two rows depends on the data, and so would the error.",
)
QUANTIFIED = reason(
    "private.quantified",
    Kind.NOT_YET,
    "ANY, SOME and ALL over a subquery are not answered.",
    "Write = ANY as IN, and the others with EXISTS.",
)
TABLE_EXPRESSION = reason(
    "private.table-expression",
    Kind.UNPROCESSABLE,
    "Only tables of the data set, WITH queries, subqueries and VALUES of constants can stand in FROM.",
    "Name a table of the data set.",
)
CLAUSE = reason(
    "private.clause-unsupported",
    Kind.UNPROCESSABLE,
    "{clause} is not answered.",
    "Write it as SELECT … FROM … WHERE … GROUP BY … HAVING … ORDER BY … LIMIT ….",
)
NOT_A_QUERY = reason(
    "private.not-a-query",
    Kind.UNPROCESSABLE,
    "Only a SELECT is answered.",
    "Write one SELECT, with WITH before it if you like.",
)
