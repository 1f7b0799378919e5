"""Reasons on the path of a request, from the decision to the answer."""

from tre.base.reasons.form import Kind, reason

PREFIX_TOO_LARGE = reason(
    "request.prefix-too-large",
    Kind.BUDGET,
    "The measurements that this answer would use cost more together than the policy allows for one answer.",
    "Ask with less epsilon; what is stored already is answered at its own price.",
    "Answers to one question share their measurements. An answer counts all those that it uses.",
)
VERSION_MISSING = reason(
    "request.no-version",
    Kind.CONFLICT,
    "The data set has no version to ask.",
    "Ask the data controller: a version is made by `tre dataset add`.",
)
VERSION_UNUSABLE = reason(
    "request.version-unusable",
    Kind.UNAVAILABLE,
    "The files of the data set's version cannot be read.",
    "Tell the operator: the version's folder has to be restored from its back-up; nothing was charged.",
)
BUSY = reason(
    "request.busy",
    Kind.UNAVAILABLE,
    "Too many requests came at once for the price to be fixed.",
    "Ask again; nothing was charged.",
)
NOT_READ = reason(
    "request.voided",
    Kind.UNAVAILABLE,
    "The query was given back before anything was read.",
    "Ask again; nothing was charged.",
    "This happens when no engine came free in time, when the rights that it rested on ended, or when the identical "
    "question that it shared a measurement with came to nothing.",
)
CHANGED = reason(
    "request.changed",
    Kind.CONFLICT,
    "The policy, the rights or the version on which this query was decided are no longer in force.",
    "Check it again; nothing was charged.",
)
CANCELLED = reason(
    "request.cancelled",
    Kind.CONFLICT,
    "The query was taken back by who asked it, or by the project's lead.",
    "Ask again. What had not begun was given back; what was running stays paid for.",
    "Whether anything had been read is told to nobody: the price of a running query stays spent whatever its engine "
    "did. Who had asked the identical question at the same time gets their price back and asks again.",
)
ENDED = reason(
    "request.ended",
    Kind.CONFLICT,
    "The query has ended already.",
    "Read it as it stands; there is nothing left to take back.",
)
PAST_RELEASE = reason(
    "request.past-release",
    Kind.CONFLICT,
    "The query is past the time at which a ready answer leaves, so it can be taken back no longer.",
    "Wait: it ends at its limit at the latest, which the query says as `limit_at`.",
    "What runs beyond that time is an engine that is late. That is told to governance, and no wish may prevent it.",
)
WHICH_DATASET = reason(
    "request.which-data-set",
    Kind.UNPROCESSABLE,
    "The project has these data sets, and the request names none of them: {datasets}.",
    "Name one in the field `dataset`.",
)
KEY_REUSED = reason(
    "request.idempotency-key-reused",
    Kind.CONFLICT,
    "The idempotency key was used before for another question.",
    "Send a fresh key with each new question.",
)
ANOTHER_QUESTION = reason(
    "request.another-question",
    Kind.CONFLICT,
    "What is in force now makes another question of it: the version, the policy's bounds or its declarations changed.",
    "Ask it as a new question; what it was answered stays as it is.",
    "An answer is refined by a further draw of the same measurement: same bounds, same selection, same version.",
)
NOTHING_REFINED = reason(
    "request.nothing-refined",
    Kind.UNPROCESSABLE,
    "This data set is kept under pure differential privacy, where no answer is refined.",
    "Ask the question with the epsilon, or the absolute accuracy, that you need: it is then measured anew.",
    "Two draws of Laplace noise are worth less together than one at the sum of their prices, so each stands by itself.",
)
NOT_ANSWERED = reason(
    "request.not-answered",
    Kind.CONFLICT,
    "The query has no answer that could be refined.",
    "Wait for its answer, or ask the question itself with more epsilon.",
    "A public answer is exact, and one that was lost with a restored back-up cannot be read.",
)
SECOND_STEP = reason(
    "request.second-step-refused",
    Kind.BUDGET,
    "The pilot is answered; the second step, which was to bring the accuracy that was asked, was refused.",
    "Read the pilot's answer. Ask for a sharper one to be told every reason; the refusal is in the log.",
)
