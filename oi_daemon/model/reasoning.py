"""Which models reason before they answer, by their names."""

import re


def is_reasoning_model(model: str) -> bool:
    """Return whether this is one of OpenAI's reasoning models."""
    return _REASONING.match(model.lower()) is not None


_REASONING = re.compile(r"(?:.*/)?(?:o\d|gpt-(?:[5-9]|\d\d))(?!.*-chat)")
