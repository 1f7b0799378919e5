"""Reasons that the text of a query gives before any table is looked up: family "sql"."""

from tre.base.reasons.form import Kind, reason

_TOTAL = (
    "Only functions that can never fail on a value are answered, because a failure that depends on one person's row "
    "would tell something about that person. Division by zero, failing casts and overflow give NULL instead."
)

# --- before the parser ------------------------------------------------------------------------------------

DIALECT_UNKNOWN = reason(
    "sql.dialect-unknown",
    Kind.USAGE,
    "The SQL dialect “{dialect}” is not read here.",
    "Use one of: {choices}.",
)
TOO_LONG = reason(
    "sql.too-long",
    Kind.UNPROCESSABLE,
    "The query is {size} bytes long; at most {limit} are read.",
    "Ask several smaller questions, or name the concepts in a public table instead of in a list.",
)
EMPTY = reason("sql.empty", Kind.UNPROCESSABLE, "There is no query in the text.", "Write one SELECT.")
CONTROL_CHARACTER = reason(
    "sql.control-character",
    Kind.UNPROCESSABLE,
    "The query holds a control character (code {code}).",
    "Remove it; tabs and line ends are fine.",
)
NOT_ASCII = reason(
    "sql.not-ascii",
    Kind.UNPROCESSABLE,
    "The character U+{code} stands outside a string and a comment.",
    "Use plain letters in names and keywords; quotes, minus signs and spaces pasted from a document often look alike.",
    "Characters that look alike would let two readers of one query see two different questions.",
)
UNREADABLE = reason(
    "sql.unreadable",
    Kind.UNPROCESSABLE,
    "A string, a quoted name or a comment is not closed, or holds what cannot be read.",
    "Close every quote and every comment.",
)
LITERAL_FORM = reason(
    "sql.literal-form",
    Kind.UNPROCESSABLE,
    "Strings in this form are not read.",
    "Write plain strings in single quotes and plain decimal numbers: no U&, E, X, B, dollar quotes or parameters.",
)
TOO_DEEP = reason(
    "sql.too-deep",
    Kind.UNPROCESSABLE,
    "The query is nested more than {limit} levels deep here.",
    "Break it up by WITH, or write long chains as IN (…).",
    "Brackets, CASE, NOT, signs and chains of operators all count as levels.",
)
TOO_NESTED = reason(
    "sql.too-nested",
    Kind.UNPROCESSABLE,
    "The subqueries up to here are too large for how deep they are nested.",
    "Name them by WITH, one after the other, instead of one inside the other.",
    "The work of reading a text is bounded before it is read.",
)
JOINS_OPEN = reason(
    "sql.joins-open",
    Kind.UNPROCESSABLE,
    "More than {limit} JOINs up to here wait for their ON.",
    "Give each JOIN its ON before the next one, or write CROSS JOIN.",
    "The work of reading a text is bounded before it is read, and it doubles with each JOIN that is left open.",
)
TYPES_OPEN = reason(
    "sql.types-open",
    Kind.UNPROCESSABLE,
    "More than {limit} types or conversions are written inside each other here, as in DATE(DATE(…)).",
    "Convert a value once, by CAST(x AS type).",
    "The work of reading a text is bounded before it is read, and it doubles with each bracket after a type.",
)
SYNTAX = reason(
    "sql.syntax",
    Kind.UNPROCESSABLE,
    "The text stops being SQL {where}.",
    "Look at the marked place and just before it: a comma, a bracket or a keyword may be missing.",
)
SEVERAL_STATEMENTS = reason(
    "sql.several-statements",
    Kind.UNPROCESSABLE,
    "The text holds more than one statement.",
    "Send one SELECT at a time.",
)

# --- the tree ---------------------------------------------------------------------------------------------

NOT_A_QUERY = reason(
    "sql.not-a-query",
    Kind.UNPROCESSABLE,
    "Only SELECT is answered; this is {form}.",
    "Ask by SELECT. Data cannot be changed here, nor can settings.",
)
FORM = reason(
    "sql.form-refused",
    Kind.UNPROCESSABLE,
    "{form} is not answered.",
    "Write the question with SELECT, JOIN, WHERE, GROUP BY, CASE and the functions of the manual.",
    "Every form of SQL that is answered is on a list; what is not on it is refused, wherever it stands.",
)
FILE_AS_TABLE = reason(
    "sql.file-as-table",
    Kind.UNPROCESSABLE,
    "“{name}” is no name of a table.",
    "Name tables of the data set by letters, digits and underscores; files, links and table functions are not read.",
)
UNSTABLE = reason(
    "sql.unstable",
    Kind.UNPROCESSABLE,
    "The query reads differently when it is written out again.",
    "Write it more plainly, or as PostgreSQL.",
    "What runs is written anew from the checked tree, so the two must be the same text.",
)

OTHER_DIALECT = reason(
    "sql.other-dialect",
    Kind.UNPROCESSABLE,
    "The whole text can be read as {names}.",
    "Name the dialect that it is written in: --dialect, the field dialect, or “Written in” beside the text.",
    "Words mean different things in different dialects, so none is guessed.",
)

# --- functions --------------------------------------------------------------------------------------------

FUNCTION_UNKNOWN = reason(
    "sql.function-unknown",
    Kind.UNPROCESSABLE,
    "There is no function {name}() here.",
    "Use a function of the manual, or name the dialect that the SQL is written in.{hint}",
    _TOTAL,
)
FUNCTION_AGE = reason(
    "sql.function-age",
    Kind.UNPROCESSABLE,
    "AGE() is not answered, since its result is a mixture of years, months and days.",
    "Use the days between two dates (a - b) or EXTRACT(YEAR FROM a) - EXTRACT(YEAR FROM b).",
)
ARGUMENT_TYPES = reason(
    "sql.argument-types",
    Kind.UNPROCESSABLE,
    "{function} does not take ({types}).",
    "It takes {expected}; use CAST where another type is meant.",
)
ARGUMENT_NOT_CONSTANT = reason(
    "sql.argument-not-constant",
    Kind.UNPROCESSABLE,
    "{function} needs a constant as {argument}.",
    "Write the value itself there, not a column or a computation.",
    "A constant lets the length and the work of the result be bounded before anything runs.",
)
CONSTANT_MALFORMED = reason(
    "sql.constant-malformed",
    Kind.UNPROCESSABLE,
    "“{text}” is no {type}.",
    "Write dates as 'YYYY-MM-DD', timestamps as 'YYYY-MM-DD HH:MM:SS', numbers in digits. "
    "To compare a concept by its name, join concept and compare concept_name.",
)
CONSTANT_TOO_LONG = reason(
    "sql.constant-too-long",
    Kind.UNPROCESSABLE,
    "The {argument} of {function} is longer than {limit} characters.",
    "Use a shorter one.",
)
TOO_MANY_DIGITS = reason(
    "sql.too-many-digits",
    Kind.UNPROCESSABLE,
    "The result of {function} could need more than {limit} digits.",
    "CAST the operands to fewer digits first, or to DOUBLE PRECISION.",
    "Overflow of exact numbers is excluded before anything runs.",
)
TEXT_TOO_LONG = reason(
    "sql.text-too-long",
    Kind.UNPROCESSABLE,
    "The text that {function} makes could be longer than {limit} characters, or has no declared length.",
    "Cut the parts first, by LEFT(x, n).",
    "The length of every text is bounded before anything runs, so that no value can exhaust the engine.",
)
TYPE_UNKNOWN = reason(
    "sql.type-unknown",
    Kind.UNPROCESSABLE,
    "The type {type} is not used here.",
    "Use BOOLEAN, BIGINT, NUMERIC(p, s), DOUBLE PRECISION, TEXT, VARCHAR(n), DATE or TIMESTAMP.",
)
CAST_REFUSED = reason(
    "sql.cast-refused",
    Kind.UNPROCESSABLE,
    "A {source} cannot be cast to {target}.",
    "Compare or compute with it as it is.",
    "Engines write such values in different ways, and every engine must give the same answer.",
)
UNIT_UNKNOWN = reason(
    "sql.unit-unknown",
    Kind.UNPROCESSABLE,
    "{function} does not know the unit “{unit}” for a {type}.",
    "Use one of: {choices}.",
)
INTERVAL_FORM = reason(
    "sql.interval-form",
    Kind.UNPROCESSABLE,
    "An interval stands only after + or − of a date or timestamp, as a whole number of one unit.",
    "Write for example d + INTERVAL '30 days'.",
)
TOO_LARGE = reason(
    "sql.expression-too-large",
    Kind.UNPROCESSABLE,
    "The operand of this {function} is too large to be compared several times.",
    "Name it in a WITH first, or write CASE WHEN … with shorter conditions.",
)
