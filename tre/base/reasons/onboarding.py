"""Reasons for which a data-set version is refused. Which row or column it was goes to the data controller only."""

from tre.base.reasons.form import Kind, reason

_LOOK = "Ask the data controller, who is told which table, column and row it was; mend the data and add them again."
_PRIVACY = "Nothing is copied from a refused version. Where the fault lies is told to the data controller alone."

NO_SOURCE = reason(
    "onboarding.no-source",
    Kind.USAGE,
    "The source is neither a folder of Parquet or CSV files, nor a DuckDB file, nor the address of a database.",
    "Name a folder that holds TABLE.parquet or TABLE.csv files, a file that ends in .duckdb or .db, or "
    "`postgresql://USER@HOST/DATABASE`.",
)
AMBIGUOUS = reason(
    "onboarding.ambiguous-table",
    Kind.UNPROCESSABLE,
    "The source holds a declared table twice.",
    "Leave one file for each table; a search path with one table of each name.",
    _PRIVACY,
)
OUTSIDE = reason(
    "onboarding.outside",
    Kind.UNPROCESSABLE,
    "A name in the source's folder is a link that leads out of it, or no regular file.",
    "Put the files themselves into the folder.",
    "Whoever delivers a folder chooses what is in it, never which other file of the machine becomes data.",
)
MISSING_TABLE = reason(
    "onboarding.missing-table",
    Kind.UNPROCESSABLE,
    "The source lacks a table that the policy declares and does not call optional.",
    "Add the table, empty if it has no rows, or say in the policy that it is optional.",
    _PRIVACY,
)
MISSING_COLUMN = reason(
    "onboarding.missing-column",
    Kind.UNPROCESSABLE,
    "A table lacks a column that the policy declares and does not call optional, or holds one twice.",
    "Add the column, empty if it has no values, or say in the policy that it is optional.",
    _PRIVACY,
)
SOURCE = reason(
    "onboarding.source",
    Kind.UNPROCESSABLE,
    "The PostgreSQL database that is the source cannot be read.",
    "Look at the address, its password file and what its role may read; what the server said is told to the data "
    "controller. Then try again.",
    _PRIVACY,
)
UNREADABLE = reason(
    "onboarding.unreadable",
    Kind.UNPROCESSABLE,
    "A file or table of the source is damaged or is not what its name says.",
    "Write the file again from its origin; CSV is UTF-8, comma-separated, with one header line. A table has rows of at "
    "most 16 MiB.",
    _PRIVACY,
)
TYPE = reason(
    "onboarding.type",
    Kind.UNPROCESSABLE,
    "A column holds a value that is not exactly one of its declared type.",
    _LOOK,
    "Values are never rounded, cut or guessed on the way in: a value enters as it is or the version is refused.",
)
NULL = reason(
    "onboarding.null",
    Kind.UNPROCESSABLE,
    "A key, or another column that is declared never to be empty, is empty somewhere.",
    _LOOK,
    _PRIVACY,
)
NOT_UNIQUE = reason(
    "onboarding.not-unique",
    Kind.UNPROCESSABLE,
    "Columns that are declared unique, or that a link leads to, hold the same value twice.",
    _LOOK,
    "The planner relies on declared uniqueness to bound what one person can change.",
)
UNKNOWN_UNIT = reason(
    "onboarding.unknown-unit",
    Kind.UNPROCESSABLE,
    "A private table holds a row of a person who is not in the table of people.",
    _LOOK,
    "Such a row would belong to nobody, and removing a person would not remove it.",
)
LINK = reason(
    "onboarding.link",
    Kind.UNPROCESSABLE,
    "A declared link leads from one person's row to another person's row.",
    _LOOK,
    "The planner follows a declared link as if it kept to one person; a single exception would break the promise.",
)
MAGNITUDE = reason(
    "onboarding.magnitude",
    Kind.UNPROCESSABLE,
    "The version holds more people or rows than the policy declares.",
    "Declare a larger magnitude in the policy; it is an upper bound and need not be close.",
    "Limits on work are computed from declared magnitudes, never from the data.",
)
EMPTY = reason(
    "onboarding.empty",
    Kind.UNPROCESSABLE,
    "The table of people has no rows.",
    "Add the data of at least one person.",
)
UNFINISHED = reason(
    "onboarding.unfinished",
    Kind.FAULT,
    "The version could not be finished within its limits of memory and disk.",
    "Give onboarding more memory or free disk, then add the data again; nothing was left behind.",
)
SERVER = reason(
    "onboarding.server",
    Kind.FAULT,
    "The PostgreSQL server in which versions stay did not take the version.",
    "Look at the server, its disk and the two roles; what it said is told to the data controller. Then try again.",
    "Nothing was left behind: a version is written in one transaction.",
)
BOUNDS_UNFINISHED = reason(
    "onboarding.bounds-unfinished",
    Kind.FAULT,
    "The version stands, but looking for bounds in it did not end; what it cost is spent.",
    "Give the engine more memory, then add the data again; until then nothing bounds what the policy leaves open.",
)
