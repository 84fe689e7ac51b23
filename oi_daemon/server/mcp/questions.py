"""The forms in which a host asks the person, and their answers: what is no yes is a no."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from oi_daemon.messages.text import without_controls


@dataclass(frozen=True, slots=True)
class Form:
    """A question with its fields, as in `elicitation/create`."""

    message: str
    properties: Mapping[str, Any]
    required: tuple[str, ...]

    @property
    def params(self) -> dict[str, Any]:
        """The parameters of the request."""
        schema = {
            "type": "object",
            "properties": dict(self.properties),
            "required": list(self.required),
        }
        return {"message": self.message, "requestedSchema": schema}


def content_of(answer: Any) -> Mapping[str, Any] | None:
    """The fields of a form that was filled in; None if it was declined, cancelled or is unreadable.

    Args:
        answer: the result of `elicitation/create`.
    """
    if not isinstance(answer, Mapping) or answer.get("action") != "accept":
        return None
    content = answer.get("content")
    return content if isinstance(content, Mapping) else None


def run_form(language: str, code: str, session: str | None) -> Form:
    """The question whether code may run. It can be changed in the form."""
    where = f" in the session {without_controls(session)}" if session else ""
    shown = without_controls(code)
    return Form(
        f"Run this {language} code{where}?\n\n{shown}",
        {
            "decision": {**_DECISION, "description": "`run`, or `skip` to decline"},
            "code": {
                "type": "string",
                "title": "Code",
                "description": "Change it here. Empty: the code as it is shown.",
                "default": code,
            },
        },
        ("decision",),
    )


def code_to_run(content: Mapping[str, Any] | None, code: str) -> str | None:
    """The code that the person allows to run; None if they do not.

    Args:
        content: see `content_of`.
        code: what was shown.
    """
    if content is None or content.get("decision") != "run":
        return None
    edited = content.get("code", "")
    if not isinstance(edited, str):
        return None
    return edited if edited.strip() else code


def reset_form(session: str | None) -> Form:
    """The question whether a session may be emptied."""
    name = f"the session {without_controls(session)}" if session else "this session"
    return Form(
        f"Reset {name}? Its variables are lost, and its messages are set aside.",
        {"decision": {**_DECISION, "description": "`run` to reset, or `skip`"}},
        ("decision",),
    )


def input_form(prompt: str) -> Form:
    """The question for a line that code waits for."""
    return Form(
        f"The code asks for a line of input: {without_controls(prompt)}".rstrip(": "),
        {"line": {"type": "string", "title": without_controls(prompt)[:100] or "Input"}},
        ("line",),
    )


def line_of(content: Mapping[str, Any] | None) -> str | None:
    """The line that the person has typed; None, the end of file, if there is none."""
    line = content.get("line") if content is not None else None
    return line.replace("\n", " ") if isinstance(line, str) else None


_DECISION = {"type": "string", "title": "Decision", "enum": ["run", "skip"]}
