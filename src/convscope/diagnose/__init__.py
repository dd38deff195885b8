"""What is wrong with a network or its data, in figures that a sentence can stand on."""

from convscope.diagnose.mistakes import Verdict, confident_mistakes, unsure_right, verdicts

__all__ = ["Verdict", "confident_mistakes", "unsure_right", "verdicts"]
