"""One catalogue of reasons: every refusal has a stable code, a sentence, a remedy and a page in the manual."""

from tre.base.reasons.form import Kind, Place, Reason, Refusal, Refused, every_reason, reason

__all__ = ["Kind", "Place", "Reason", "Refusal", "Refused", "every_reason", "reason"]
