"""Which models reason before they answer, by their names."""

import re


def is_reasoning_model(model: str) -> bool:
    """Return whether this is one of OpenAI's reasoning models."""
    return _REASONING.match(model.lower()) is not None


def answers_at_once(model: str) -> bool:
    """Return whether this is one of OpenAI's models that never think first."""
    return _QUICK.match(model.lower()) is not None


def thinks_for_long(model: str) -> bool:
    """Return whether the model is known to think for many minutes without a word."""
    return _LONG.match(model.lower()) is not None


_QUICK = re.compile(r"(?:.*/)?(?:gpt-[34]|chatgpt)")
_LONG = re.compile(r"(?:.*/)?(?:o\d|gpt-[\d.]+)-(?:pro|(?:mini-)?deep-research)\b")
_REASONING = re.compile(r"(?:.*/)?(?:o\d|gpt-(?:[5-9]|\d\d))(?!.*-chat)")
