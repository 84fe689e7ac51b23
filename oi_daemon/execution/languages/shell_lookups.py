"""Lookups of the shell: commands that list what there is, and what they write as JSON.

They run in a subshell between two blocks, so they change nothing, and keep `$?` as it is. Only
builtin commands run, none of the user's functions or aliases.
"""

import re
import shlex
from collections.abc import Iterator, Mapping

import msgspec

from oi_daemon.execution.language import Lookup
from oi_daemon.protocol.lookups import Completions, Documentation, VariableEntry, Variables

_LONGEST = 120
"""Characters of a preview."""
_OWN = re.compile(
    r"__oi|BASH|COMP_|DIRSTACK$|EPOCH|EUID$|FUNCNAME$|GROUPS$|HISTCMD$|HOST(NAME|TYPE)$|IFS$|LINENO$"
    r"|MACHTYPE$|OI_DAEMON|OLDPWD$|OPT(ARG|ERR|IND)$|OSTYPE$|PIPESTATUS$|PPID$|PS4$|PWD$|RANDOM$"
    r"|SECONDS$|SHELL|SHLVL$|SRANDOM$|TERM$|UID$|_$"
)
"""Matches the beginning of the names of variables that bash itself sets, and of the worker's."""
_VARIABLE = re.compile(r"declare -(\S+) ([A-Za-z_]\w*)(?:=(.*))?", re.DOTALL)
_FUNCTION = re.compile(r"declare -f\S* (\S+)")
_ENTRY = re.compile(r"^(?=declare -\S+ \S)", re.MULTILINE)
"""Matches where an entry of `declare -p` begins; a value may have several lines."""
_ITEM = re.compile(r'\[(?:"(?:\\.|[^"\\])*"|[^\]"]*)\]=', re.DOTALL)
_KINDS = {"a": "array", "A": "map", "i": "integer", "n": "reference"}
"""What variables with these attributes are called."""
_BEFORE = re.compile(r"""(?:^|[\s;|&(`"'=:])(\$\{?)?([^\s;|&()`"'=:${}]*)$""")
"""Matches the word before a place."""
_COMMAND = re.compile(r"(?:^|[;|&(`{\n]|\$\(|\b(?:do|then|else|if|while|until|!)\s)\s*$")
"""Matches what is before a word that is a command."""


def command(lookup: Lookup) -> str:
    """The code that finds the answer to a lookup."""
    match lookup.kind:
        case "variables":
            found = r"\builtin declare -p; \builtin declare -F"
        case "complete":
            found = _compgen(lookup)
        case _:
            found = _describe(_word_at(lookup))
    return f"(__oi_before=$?; {{ {found}; }} 2>/dev/null; \\builtin exit $__oi_before) && :"


def answer(lookup: Lookup, written: str, environment: Mapping[str, str]) -> bytes:
    """The answer as JSON, from what the code wrote.

    Args:
        environment: the variables with which the shell was started. They are not listed.
    """
    match lookup.kind:
        case "variables":
            return msgspec.json.encode(_variables(written, lookup.limit, environment))
        case "complete":
            return msgspec.json.encode(_completions(lookup, written))
        case _:
            return msgspec.json.encode(_documentation(written.strip()))


def _variables(written: str, limit: int, environment: Mapping[str, str]) -> Variables:
    entries = [*_entries(written, environment)]
    entries.sort(key=lambda entry: entry.type == "function")
    more = max(0, len(entries) - limit)
    return Variables(variables=entries[:limit], more=more, unanswered=[])


def _entries(written: str, environment: Mapping[str, str]) -> Iterator[VariableEntry]:
    for text in _ENTRY.split(written):
        if found := _FUNCTION.fullmatch(text.strip()):
            if not _OWN.match(found[1]) and found[1] != "trap":  # it is the worker's
                preview = f"{found[1]}()"
                yield VariableEntry(
                    name=found[1], type="function", language="shell", preview=preview
                )
        elif (found := _VARIABLE.fullmatch(text.strip("\n"))) and not _OWN.match(found[2]):
            entry = _variable(found[1], found[2], found[3] or "")
            if "x" not in found[1] or environment.get(found[2]) != _unquoted(found[3] or ""):
                yield entry


def _variable(attributes: str, name: str, value: str) -> VariableEntry:
    kind = next((_KINDS[letter] for letter in attributes if letter in _KINDS), "string")
    text = value if kind in ("array", "map") else _unquoted(value)
    size = len(_ITEM.findall(value)) if kind in ("array", "map") else len(text)
    line = " ".join(text.split("\n"))
    return VariableEntry(
        name=name,
        type=kind,
        language="shell",
        preview=line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…",
        size=None if kind == "integer" else size,
    )


def _unquoted(value: str) -> str:
    """A value as `declare -p` quotes it, without its quotes."""
    if value.startswith("$'"):
        return re.sub(r"\\(['\\])", r"\1", value[2:-1])
    if value.startswith('"'):
        return re.sub(r'\\(["\\$`])', r"\1", value[1:-1])
    return value


def _word_before(lookup: Lookup) -> tuple[str, str, str]:
    """What is before the word at a place, `$` or `${` if it begins so, and the word."""
    before = lookup.code[: lookup.position]
    found = _BEFORE.search(before)
    if found is None:
        return before, "", ""
    start = found.start(2) - len(found[1] or "")
    return before[:start], found[1] or "", found[2]


def _compgen(lookup: Lookup) -> str:
    before, dollar, word = _word_before(lookup)
    if dollar:
        actions = "-A variable"
    elif _COMMAND.search(before) and "/" not in word:
        actions = "-A command" if word else "-A function"
    else:
        actions = "-A file"
    return f"\\builtin compgen {actions} -- {shlex.quote(word)}"


def _completions(lookup: Lookup, written: str) -> Completions:
    before, dollar, word = _word_before(lookup)
    is_command = bool(_COMMAND.search(before)) and "/" not in word
    kind = "variable" if dollar else "command" if is_command else "file"
    names = {line for line in written.splitlines() if line != word and not line.startswith("__oi")}
    matches = sorted(names)[: lookup.limit]
    start = lookup.position - len(word)
    return Completions(
        matches=matches, kinds=[kind] * len(matches), start=start, end=lookup.position
    )


def _word_at(lookup: Lookup) -> str:
    """The word at a place, with its `$`."""
    rest = re.match(r"[\w.+-]*", lookup.code[lookup.position :])
    _, dollar, word = _word_before(lookup)
    return f"{dollar[:1]}{word}{rest[0] if rest else ''}"


def _describe(word: str) -> str:
    name = shlex.quote(word.lstrip("$"))
    if word.startswith("$"):
        return f"\\builtin declare -p -- {name}"
    return f"\\builtin type -- {name} || \\builtin declare -p -- {name}"


def _documentation(text: str) -> Documentation:
    if not text:
        return Documentation(data={})
    return Documentation(data={"text/plain": text, "text/markdown": f"```bash\n{text}\n```"})
