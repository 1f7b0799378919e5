"""Reasons of people, projects, data sets and policies as the environment keeps them."""

from tre.base.reasons.form import Kind, reason

BOARD_EXISTS = reason(
    "governance.board-exists",
    Kind.REFUSED,
    "People and projects are no longer added by command: this environment has a board.",
    "Apply to the board.",
    "Before there is a board, whoever holds the home sets the environment up; each step is an entry of the log. "
    "From the first board member on, people and projects come in by application.",
)
BAD_ID = reason(
    "governance.bad-id",
    Kind.USAGE,
    "The id {id} cannot be used.",
    "An id has 1 to 40 ASCII letters, digits or . _ @ + - and begins with a letter or a digit.",
    "Ids stand in the public log for ever, so choose one that tells nothing that a person may want erased.",
)
BAD_NAME = reason(
    "governance.bad-name",
    Kind.USAGE,
    "The name is empty, longer than {most} characters, or holds a character that cannot be printed.",
    "Give the name as it should be shown.",
)
PERSON_EXISTS = reason(
    "governance.person-exists", Kind.CONFLICT, "There is a person {person} already.", "Choose another id."
)
UNKNOWN_PERSON = reason(
    "governance.unknown-person",
    Kind.UNKNOWN,
    "There is no person {person}.",
    "Look at `tre person list`; add them with `tre person add`.",
)
PROJECT_EXISTS = reason(
    "governance.project-exists", Kind.CONFLICT, "There is a project {project} already.", "Choose another id."
)
UNKNOWN_PROJECT = reason(
    "governance.unknown-project",
    Kind.UNKNOWN,
    "There is no project {project} that you belong to.",
    "Check the id with your project's lead.",
    "Projects of others and projects that do not exist are answered alike.",
)
NO_MEMBERS = reason(
    "governance.no-members", Kind.USAGE, "A project needs at least one person.", "Name them with `--person`."
)
NOT_A_RESEARCHER = reason(
    "governance.not-a-researcher",
    Kind.USAGE,
    "{person} is no researcher and no lead.",
    "Name people whose role is researcher or lead; the others do not ask for data.",
)
NOT_A_CONTROLLER = reason(
    "governance.not-a-controller",
    Kind.USAGE,
    "Only a data controller answers for a data set.",
    "Give the role `controller` too, or leave `--controls` out.",
)
NO_DATASETS = reason(
    "governance.no-datasets", Kind.USAGE, "A project needs at least one data set.", "Name one with `--dataset`."
)
NO_PURPOSE = reason(
    "governance.no-purpose", Kind.USAGE, "A project needs at least one purpose.", "Name one with `--purpose DUO:…`."
)
BAD_PURPOSE = reason(
    "governance.bad-purpose",
    Kind.USAGE,
    "{purpose} is no purpose code.",
    "Give Data Use Ontology codes such as DUO:0000006 (health, medical or biomedical research).",
)
BAD_DATES = reason(
    "governance.bad-dates", Kind.USAGE, "What is granted would end before it begins.", "Give an end in the future."
)
BAD_BUDGET = reason(
    "governance.bad-budget",
    Kind.USAGE,
    "The project's budget cannot be kept for data set {dataset}.",
    "Epsilon is above 0; delta lies between 0 and 1, is at least the policy's conversion share, and 0 under pure "
    "differential privacy.",
)
UNKNOWN_DATASET = reason(
    "governance.unknown-dataset",
    Kind.UNKNOWN,
    "There is no data set {dataset} that you may use.",
    "Check the name; a data set is added with `tre dataset add`.",
)
NO_POLICY = reason(
    "governance.no-policy",
    Kind.UNKNOWN,
    "No policy is in force for the data set {dataset}.",
    "A data controller activates one.",
)
NO_VERSION = reason(
    "governance.no-version",
    Kind.UNKNOWN,
    "The data set {dataset} has no version yet.",
    "Add its data with `tre dataset add`.",
)
NOT_LOCKED = reason(
    "governance.not-locked", Kind.CONFLICT, "The project {project} is not locked.", "There is nothing to unlock."
)
OWN_PROJECT = reason(
    "governance.own-project",
    Kind.REFUSED,
    "{person} belongs to the project {project} and cannot unlock it.",
    "Somebody of governance outside the project looks at the incidents and unlocks it.",
)
NOT_GOVERNANCE = reason(
    "governance.not-governance",
    Kind.REFUSED,
    "{person} has no role that looks at incidents.",
    "A board member, a controller of one of its data sets or an operator unlocks a project.",
)
OWN_STANDING = reason(
    "governance.own-standing",
    Kind.REFUSED,
    "{person} cannot change what {person} holds.",
    "Somebody else who is entitled does it: nobody approves their own item.",
)
NOT_ENTITLED = reason(
    "governance.not-entitled",
    Kind.REFUSED,
    "{person} has no role that changes what people hold.",
    "A board member or a data controller attests credentials; they and operators revoke them and end people.",
)
NO_CREDENTIAL = reason(
    "governance.no-credential",
    Kind.UNKNOWN,
    "{person} holds no credential {kind} that counts.",
    "Look at `tre person list`.",
)
UNKNOWN_TOKEN = reason(
    "governance.unknown-token",
    Kind.UNKNOWN,
    "There is no token {token} in use.",
    "Look at `tre tokens list`; a token that has expired or was revoked is in use no more.",
)
NO_REASON = reason(
    "governance.no-reason",
    Kind.USAGE,
    "Unlocking a project needs a reason.",
    "Say what was found, in at most {most} characters.",
)
STILL_HERE = reason(
    "governance.still-here",
    Kind.CONFLICT,
    "{person} has not left, and the name is still needed.",
    "End the person first: `tre person end`.",
)
ONE_PERSON = reason(
    "governance.one-person",
    Kind.REFUSED,
    "Erasing takes two people, and both names given are the same.",
    "Have a second board member or data controller agree, and name them with `--and`.",
)
NOT_ASKED = reason(
    "governance.erasure-not-asked",
    Kind.REFUSED,
    "Nobody has asked for the erasure of {project}, or too long ago.",
    "Ask for it; another person who is entitled agrees within a week.",
)
OWN_TEXTS = reason(
    "governance.own-texts",
    Kind.REFUSED,
    "{person} cannot have their own texts, or those of their project, erased.",
    "Two others who are entitled do it: nobody approves their own item.",
)
NOT_ERASER = reason(
    "governance.not-eraser",
    Kind.REFUSED,
    "{person} has no role that has texts erased.",
    "Two people do it together, each a board member or a data controller.",
)
NOTHING_SEALED = reason(
    "governance.nothing-sealed",
    Kind.UNKNOWN,
    "No text is sealed there, or it was erased before.",
    "Check the id; the log shows what was erased: `tre audit search --event key-destroyed`.",
)
