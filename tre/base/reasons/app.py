"""Reasons of a deployment: its home, its settings, its keys."""

from tre.base.reasons.form import Kind, reason

SETTINGS = reason(
    "app.settings",
    Kind.USAGE,
    "The settings in {file} cannot be used: {field}.",
    "Compare the file with config/home.toml; every setting must be there, and no other.",
)
HOME_EXISTS = reason(
    "app.home-exists",
    Kind.CONFLICT,
    "There is a home at {home} already.",
    "Choose another folder; a home is never replaced.",
)
ORIGIN = reason(
    "app.origin",
    Kind.USAGE,
    "The origin {origin} cannot name a log.",
    "Use lower-case letters, digits, dots, dashes and slashes, such as `northfield.example/tre`.",
)
CONTROL = reason(
    "app.control",
    Kind.USAGE,
    "The control database has no address that can be used.",
    "Write `postgresql://USER@HOST/DATABASE?passfile=FILE`: the password stands in FILE, in libpq's form, and never "
    "in the address.",
)
SOURCE = reason(
    "app.source",
    Kind.USAGE,
    "The database that is the source has no address that can be used.",
    "Write `postgresql://USER@HOST/DATABASE`: a password stands in the file that `passfile=FILE` or PGPASSFILE names, "
    "or in a service, and never in the address.",
    "An address stands in process lists, in the shell's history and in error messages.",
)
WORKERS = reason(
    "app.workers",
    Kind.USAGE,
    "{workers} workers cannot share this home: SQLite and a log's writer inside the server belong to one.",
    "Serve with one worker; or keep the control database in PostgreSQL (`tre init --control URL`), let `tre audit "
    "serve` write the log (`writer` in the settings), and start again.",
)
NO_HOME = reason(
    "app.no-home",
    Kind.USAGE,
    "There is no finished home at {home}.",
    "Make one with `tre init {home}`.",
)
SERVER_RUNS = reason(
    "app.server-runs",
    Kind.CONFLICT,
    "Another process serves this home, or writes its log.",
    "Stop it first: a home has one server, and its log one writer.",
)
NO_WRITER = reason(
    "app.no-writer",
    Kind.UNAVAILABLE,
    "The writer of the audit log cannot be used: {problem}.",
    "Start `tre audit serve` for this home, as the same user, and read what it says.",
    'The settings say `writer = "process"`: the log has one writer, for all servers and commands of the home.',
)
WRITER_EMBEDDED = reason(
    "app.writer-embedded",
    Kind.USAGE,
    "The settings of this home say that the server itself writes the log.",
    'Set `writer = "process"` under `[log]` in `config.toml`, and start the server again after this command.',
)
DEMO_EXISTS = reason(
    "app.demo-exists",
    Kind.CONFLICT,
    "The folder {home} holds something that is no demonstration.",
    "Choose another folder with `--home`.",
)
LOG_UNUSABLE = reason(
    "app.log-unusable",
    Kind.UNAVAILABLE,
    "The audit log of this home cannot be opened: {problem}.",
    "Restore the newest copy of the folders `log` and `head`; nothing is answered before the log is whole.",
    "A log that is shorter than its last signed head, or differs from it, was damaged or rolled back.",
)
LOG_UNWRITABLE = reason(
    "app.log-unwritable",
    Kind.UNAVAILABLE,
    "The audit log of this home cannot be read and written: {problem}.",
    "Give the disk room, or the folders `log` and `head` back to the user who serves, and start again.",
    "Nothing is answered without the log. What waits for it in the control database is written at the next start.",
)
BACKUP_FOLDER = reason(
    "app.backup-folder",
    Kind.CONFLICT,
    "{folder} is no place for a back-up: it holds something, or lies inside the home.",
    "Name a folder that does not exist yet, on another disk if you can.",
)
BACKUP_POSTGRESQL = reason(
    "app.backup-postgresql",
    Kind.CONFLICT,
    "The control data of this home is in PostgreSQL, which this command does not copy.",
    "Stop the server, dump the database with `pg_dump` first, then copy the home's folder: nothing was copied now.",
    "A copy of the log that is older than that of the database would be refused when it is restored, so the database "
    "comes first. A copy without its database would look like a back-up and be none.",
)
BACKUP_UNSOUND = reason(
    "app.backup-unsound",
    Kind.UNAVAILABLE,
    "The log in the copy at {folder} does not verify.",
    "Verify the log of the home with `tre audit verify`, look at the disks, and keep the back-ups that you have.",
)
NO_BACKUP = reason(
    "app.no-backup",
    Kind.USAGE,
    "There is no whole back-up at {folder}.",
    "Name the folder that `tre backup` wrote, and with `--keys` that of its keys if they were kept apart.",
)
DETAIL = reason(
    "app.refusal-detail",
    Kind.USAGE,
    "Which table, column and row it was stands in {file}, which may quote data.",
    "Give the file to the data controller, who corrects the delivery; then delete it.",
)
SECRET_UNREADABLE = reason(
    "app.secret-unreadable",
    Kind.UNAVAILABLE,
    "A secret of this home, or one that its settings name, cannot be read: {file}.",
    "Put the file there, readable for the user who serves alone.",
)
READER = reason(
    "app.reader",
    Kind.FAULT,
    "The role that reads versions in the PostgreSQL server cannot read this one, or may do more than read.",
    "Make the role as the manual says, on PostgreSQL 16 or newer: it may log in, has a temp_file_limit, and no more.",
    "Questions are asked by a role that could change nothing even if a statement told it to.",
)
