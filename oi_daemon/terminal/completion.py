"""Completion of the command line in bash, zsh and fish: scripts that are made from the flags."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag of the command line."""

    names: tuple[str, ...]
    """How it is written: `-y`, `--auto_run`."""
    help: str
    takes_value: bool
    choices: tuple[str, ...] = ()
    """The values that it can have, if they are known."""


def completion_script(shell: str, flags: Sequence[Flag]) -> str:
    """The script that teaches a shell the flags.

    Args:
        shell: a name in `SHELLS`.
    """
    return SHELLS[shell](flags)


def _bash(flags: Sequence[Flag]) -> str:
    values = "".join(
        f'        {"|".join(flag.names)}) COMPREPLY=($(compgen -W {_quoted(flag.choices)} -- "$2"))'
        " ;;\n"
        for flag in flags
        if flag.choices
    )
    return f"""\
# Completion of `interpreter` in bash. In ~/.bashrc: eval "$(interpreter --completion bash)"
_interpreter() {{
    COMPREPLY=()
    case $3 in
{values}        *)
            if [[ $2 == -* ]]; then
                COMPREPLY=($(compgen -W {_quoted(_names(flags))} -- "$2"))
            fi ;;
    esac
}}
complete -o default -F _interpreter interpreter
"""


def _zsh(flags: Sequence[Flag]) -> str:
    lines = (f"        {shlex.quote(_zsh_flag(name, flag))} \\\n" for name, flag in _each(flags))
    return f"""\
#compdef interpreter
# Completion of `interpreter` in zsh. In ~/.zshrc, after compinit:
# eval "$(interpreter --completion zsh)"
_interpreter() {{
    _arguments -S \\
{"".join(lines)}\
        '*:question:_files'
}}
if [ "$funcstack[1]" = _interpreter ]; then
    _interpreter "$@"
else
    compdef _interpreter interpreter
fi
"""


def _zsh_flag(name: str, flag: Flag) -> str:
    """A flag as `_arguments` of zsh takes it."""
    text = flag.help
    for character in "\\[]:":
        text = text.replace(character, f"\\{character}")
    value = f":value:({' '.join(flag.choices)})" if flag.choices else ":value:_files"
    return f"*{name}[{text}]{value if flag.takes_value else ''}"


def _fish(flags: Sequence[Flag]) -> str:
    lines = [
        "# Completion of `interpreter` in fish, for ~/.config/fish/completions/interpreter.fish",
        *map(_fish_line, flags),
    ]
    return "\n".join(lines) + "\n"


def _fish_line(flag: Flag) -> str:
    words = ["complete -c interpreter"]
    for name in flag.names:
        kind = "-l" if name.startswith("--") else "-s" if len(name) == 2 else "-o"
        words.append(f"{kind} {name.lstrip('-')}")
    if flag.choices:
        words.append(f"-x -a {_fish_quoted(' '.join(flag.choices))}")
    elif flag.takes_value:
        words.append("-r")
    return " ".join([*words, f"-d {_fish_quoted(flag.help)}"])


def _fish_quoted(text: str) -> str:
    """A text in single quotes, as fish reads them."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _names(flags: Sequence[Flag]) -> list[str]:
    return [name for flag in flags for name in flag.names]


def _each(flags: Sequence[Flag]) -> list[tuple[str, Flag]]:
    return [(name, flag) for flag in flags for name in flag.names]


def _quoted(words: Sequence[str]) -> str:
    return shlex.quote(" ".join(words))


SHELLS: Mapping[str, Callable[[Sequence[Flag]], str]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}
"""What makes the script for each shell."""
