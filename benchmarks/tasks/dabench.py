"""InfiAgent-DABench: questions about CSV files with exact labels (arXiv 2401.05507)."""

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tasks.task import Task

EASY = 30
"""Number of easy questions that the embedded model gets: the first ones, of as many tables as
possible."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question with its label."""

    id: int
    text: str
    """The question, its constraints and the form of the answer, as the model gets it."""
    level: str
    table: Path
    labels: Mapping[str, str]


def questions(folder: Path) -> list[Question]:
    """Return all questions of a copy of the benchmark, in the order of their ids."""
    labels = {
        item["id"]: {name: str(value) for name, value in item["common_answers"]}
        for item in _lines(folder / "labels.jsonl")
    }
    return [
        Question(
            id=item["id"],
            text=f"{item['question']}\n{item['constraints']}\nThe table is {item['file_name']}."
            f" Answer in this form: {item['format']}",
            level=item["level"],
            table=folder / "tables" / item["file_name"],
            labels=labels[item["id"]],
        )
        for item in _lines(folder / "questions.jsonl")
        if item["id"] in labels
    ]


def easy_tasks(folder: Path) -> list[Task]:
    """Return the easy questions as tasks: one of each table first, then further ones."""
    easy = [question for question in questions(folder) if question.level == "easy"]
    by_table = {question.table: question for question in reversed(easy)}
    first = [question for question in easy if by_table[question.table] is question]
    chosen = [*first, *(question for question in easy if question not in first)][:EASY]
    return [
        Task(
            name=f"dabench {question.id}",
            question=question.text,
            files=partial(shutil.copy, question.table),
            check=partial(_is_right_in, question.labels),
        )
        for question in chosen
    ]


def is_right(answer: str, labels: Mapping[str, str]) -> bool:
    """Return whether each `@name[value]` of the label stands in the answer."""
    given = {name: value for name, value in re.findall(r"@(\w+)\[(.*?)\]", answer)}
    return all(name in given and _equal(given[name], value) for name, value in labels.items())


def _is_right_in(labels: Mapping[str, str], answer: str, folder: Path) -> bool:
    return is_right(answer, labels)


def _equal(given: str, label: str) -> bool:
    try:
        return abs(float(given.replace(",", "")) - float(label.replace(",", ""))) < 1e-6
    except ValueError:
        return _bare(given) == _bare(label)


def _bare(text: str) -> str:
    """Return a text without the quotation marks that some labels have, in lower case."""
    return text.strip().strip("'\"").lower()


def _lines(path: Path) -> Sequence[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
