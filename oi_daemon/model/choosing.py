"""Which of a server's models are for chat, and which of them to propose first, by their names."""

import re
from collections.abc import Iterable


def chat_models(names: Iterable[str]) -> list[str]:
    """Return the models that can chat, the best ones of today first.

    Of each maker the newest large model comes first; smaller, special and dated ones follow.
    Models whose names say nothing keep the server's order, at the end.
    """
    return sorted((name for name in names if is_chat_model(name)), key=_rank)


def is_chat_model(name: str) -> bool:
    """Return whether a model can chat, as far as its name tells."""
    return _OTHER_PURPOSES.search(name.lower()) is None


def _rank(name: str) -> tuple[object, ...]:
    """Return what the name is sorted by: the lowest comes first."""
    lower = name.lower()
    base = lower.rpartition("/")[2]
    maker = next((at for at, family in enumerate(_FAMILIES) if family.match(base)), None)
    if maker is None:
        return (3,)
    special = bool(_SPECIAL.search(base))
    small = bool(_SMALL.search(base))
    dated = bool(_DATE.search(base))
    size = next((at for at, word in enumerate(_SIZES) if word in base), 0)
    numbers = re.findall(r"\d+", _DATE.sub("", base))[:2]
    version = [-int(number) for number in numbers if len(number) < 4]
    return (2 if special else int(small), maker, [*version, *[0] * (2 - len(version))], dated, size)


_OTHER_PURPOSES = re.compile(
    r"embed|whisper|\btts\b|-tts|dall-?e|image|imagen|moderation|realtime|audio|transcri|speech|voice"
    r"|sora|video|\bveo|lyria|rerank|babbage|davinci|gpt-3\.5-turbo-instruct|\bguard|-guard|shield"
    r"|\bocr\b|-ocr|computer-use|\baqa\b|\bbge\b|\bclip\b|diffusion|\bflux|minilm|\be5-|nomic"
)
"""Names of models for embeddings, speech, images and the like."""
_FAMILIES = tuple(
    re.compile(pattern)
    for pattern in (
        *(r"(?:chat)?gpt-(?!oss)", r"claude", r"gemini", r"grok", r"kimi|moonshot", r"glm"),
        *(r"deepseek", r"qwen|qwq", r"mistral|magistral|devstral|codestral|ministral"),
        *(r"minimax", r"llama", r"gpt-oss", r"o\d", r"gemma", r"phi", r"command"),
    )
)
"""Makers' models, by the beginnings of their names, in the order in which they are proposed."""
_SMALL = re.compile(
    r"(?<!ge)mini(?!max)|nano|flash|lite|haiku|small|turbo|tiny|luna|terra|highspeed|air\b"
)
_SPECIAL = re.compile(
    r"(?:gpt-[\d.]+|\bo\d)-pro\b|codex|search|deep-research|chat-latest|-chat\b|cyber|-law|rosalind"
    r"|preview|-exp|distill|base\b|coder|vision|-vl|math|daybreak|instruct-v|customtools"
)
"""Matches names of models that are for a special purpose, or cost far more than others."""
_DATE = re.compile(r"[-@](?:\d{4}-\d{2}-\d{2}|20\d{6}|\d{4}|\d{3})(?![\d.])")
_SIZES = ("astra", "opus", "sol", "sonnet", "terra", "luna")
"""Words in the names of models that tell their size, from the largest to the smallest."""
