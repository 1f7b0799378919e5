"""Reasons of the command line: what is missing around a command, before anything else is asked."""

from tre.base.reasons.form import Kind, reason

HOME_MISSING = reason(
    "cli.home-missing",
    Kind.USAGE,
    "This command works on a home, and TRE_HOME names none that `tre init` has made.",
    "Set TRE_HOME to the folder that `tre init HOME` made.",
)
SERVER_MISSING = reason(
    "cli.server-missing",
    Kind.USAGE,
    "Questions go to a running server, and {missing} is not set.",
    "Start a server with `tre serve`, then set TRE_URL to its address and TRE_TOKEN to what `tre token` prints.",
    "`tre check` and `tre query` speak REST alone, so that every question takes the same path and leaves its entry; "
    "TRE_HOME by itself opens no way around it.",
)
UNREACHABLE = reason(
    "cli.unreachable",
    Kind.FAULT,
    "{problem}",
    "Check TRE_URL, and that `tre serve` is running there.",
)
SOURCE_URL = reason(
    "cli.source-url",
    Kind.NOT_YET,
    "Data sets are made from Parquet or CSV files, a DuckDB file or postgresql://; {scheme} is not offered yet.",
    "Export the tables to Parquet files and name their folder.",
)
FILE_MISSING = reason("cli.file-missing", Kind.USAGE, "There is no file or folder {path}.", "Check the path.")
POLICY_DIFF = reason(
    "cli.policy-diff-not-yet",
    Kind.NOT_YET,
    "Comparing two policies is not offered yet.",
    "Use a text diff on the two documents, and `tre policy lint` on each.",
)
EXTRA_MISSING = reason(
    "cli.extra-missing",
    Kind.FAULT,
    "This command needs a part that is not installed: {module}.",
    "Install it as the README says, with the part `server` of this project.",
)
SQL_MISSING = reason(
    "cli.sql-missing",
    Kind.USAGE,
    "There is no SQL to ask.",
    "Give it as the last argument, or - and on standard input.",
)
FILE_SYSTEM = reason(
    "cli.file-system",
    Kind.FAULT,
    "The file system refused: {problem}.",
    "Check the path, its owner and the free space.",
)
SIGN_OF_FAULT = reason(
    "cli.fault",
    Kind.FAULT,
    "Something failed inside: {where}.",
    "Try again; if it happens twice, report this line.",
    "The message of the failure itself is not shown: it may quote data.",
)
OUT_EXISTS = reason(
    "cli.out-exists",
    Kind.USAGE,
    "There is {path} already.",
    "Name a file or folder that does not exist yet: what was exported before is not overwritten.",
)
CRATE_PROJECT = reason(
    "cli.crate-project",
    Kind.USAGE,
    "An RO-Crate is of one project, and none is named.",
    "Give `--project ID`.",
)
