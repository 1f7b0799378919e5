"""From a context and a text to one decision with every reason. Pure."""

from tre.decide.decide import Situation, decide
from tre.decide.decision import Decision, Drawn, DrawnOf, Measured, Question
from tre.decide.explain import Explanation, explain
from tre.decide.timing import Timing, timing

__all__ = [
    "Decision",
    "Drawn",
    "DrawnOf",
    "Explanation",
    "Measured",
    "Question",
    "Situation",
    "Timing",
    "decide",
    "explain",
    "timing",
]
