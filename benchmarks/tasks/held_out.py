"""Thirty tasks on which nothing is tuned: run them to measure, not to improve the prompt."""

import json
import sqlite3
import zipfile
from pathlib import Path

from tasks.images import png, size_of
from tasks.own import text, text_files
from tasks.task import Task, file_is, holds, says


def library(folder: Path) -> None:
    with sqlite3.connect(folder / "library.sqlite") as db:
        db.execute("CREATE TABLE books (title TEXT, author TEXT, pages INTEGER, year INTEGER)")
        db.execute("CREATE TABLE members (name TEXT)")
        books = [
            ("Ash", "Ito", 200, 1999),
            ("Birch", "Lee", 320, 2005),
            ("Cedar", "Ito", 410, 2011),
        ]
        db.executemany("INSERT INTO books VALUES (?, ?, ?, ?)", books)
        db.executemany("INSERT INTO members VALUES (?)", [("Jo",), ("Al",)])
    db.close()


def photos(folder: Path) -> None:
    with zipfile.ZipFile(folder / "photos.zip", "w") as archive:
        archive.writestr("a.raw", b"1" * 100)
        archive.writestr("b.raw", b"2" * 900)
        archive.writestr("c.raw", b"3" * 300)


WEATHER = (
    "day,min,max,rain\nMon,8,15,0.0\nTue,9,18,2.5\nWed,7,12,11.0\nThu,10,21,0.0\nFri,11,19,1.5\n"
)
STUDENTS = "name\tgrade\tpoints\nUma\tA\t91\nVic\tB\t78\nWes\tA\t95\nXia\tC\t60\n"
ACCESS = "".join(
    f"{ip} - - GET /\n" for ip in ["1.1.1.1", "2.2.2.2", "1.1.1.1", "3.3.3.3", "1.1.1.1"]
)

TASKS = (
    Task(
        name="csv: mean",
        question="What is the mean of the column max in weather.csv?",
        files=text("weather.csv", WEATHER),
        check=says("17"),
    ),
    Task(
        name="csv: condition",
        question="On how many days in weather.csv did it rain?",
        files=text("weather.csv", WEATHER),
        check=says("3"),
    ),
    Task(
        name="csv: argmax",
        question="Which day in weather.csv has the most rain?",
        files=text("weather.csv", WEATHER),
        check=says("Wed"),
    ),
    Task(
        name="csv: filter",
        question="Save the rows of weather.csv with rain above 1 to wet.csv.",
        files=text("weather.csv", WEATHER),
        check=holds(
            lambda f: (
                [r.split(",")[0] for r in (f / "wet.csv").read_text().split()]
                == ["day", "Tue", "Wed", "Fri"]
            )
        ),
    ),
    Task(
        name="tsv: mean",
        question="What is the average number of points in students.tsv?",
        files=text("students.tsv", STUDENTS),
        check=says("81"),
    ),
    Task(
        name="tsv: group",
        question="How many students in students.tsv have grade A?",
        files=text("students.tsv", STUDENTS),
        check=says("2"),
    ),
    Task(
        name="csv: merge",
        question="Join prices.csv and stock.csv by item: what is the total value of the stock?",
        files=text_files(
            {
                "prices.csv": "item,price\nbolt,0.5\nnut,0.25\ngear,12\n",
                "stock.csv": "item,amount\nbolt,100\nnut,40\ngear,3\n",
            }
        ),
        check=says("96"),
    ),
    Task(
        name="csv: median",
        question="What is the median of the column value in m.csv?",
        files=text("m.csv", "id,value\n1,9\n2,2\n3,40\n4,5\n5,7\n"),
        check=says("7"),
    ),
    Task(
        name="csv: unique",
        question="How many different countries are in visits.csv?",
        files=text("visits.csv", "who,country\na,Peru\nb,Mali\nc,Peru\nd,Fiji\ne,Mali\n"),
        check=says("3"),
    ),
    Task(
        name="log: addresses",
        question="Which IP address made the most requests in access.log?",
        files=text("access.log", ACCESS),
        check=says("1.1.1.1"),
    ),
    Task(
        name="text: words",
        question="How many words are in letter.txt?",
        files=text("letter.txt", "Dear Kim,\n\nthank you for the long letter.\nYours, Lou\n"),
        check=says("10"),
    ),
    Task(
        name="text: longest line",
        question="What is the longest line in lines.txt?",
        files=text("lines.txt", "short\na somewhat longer line\nmiddle line\n"),
        check=says("a somewhat longer line"),
    ),
    Task(
        name="text: replace",
        question="Replace the word cat by dog everywhere in story.txt.",
        files=text("story.txt", "The cat saw a cat.\n"),
        check=file_is("story.txt", "The dog saw a dog."),
    ),
    Task(
        name="text: duplicates",
        question="Remove duplicate lines from names.txt, keep the order, and save unique.txt.",
        files=text("names.txt", "Bo\nAl\nBo\nCy\nAl\n"),
        check=file_is("unique.txt", "Bo\nAl\nCy"),
    ),
    Task(
        name="text: sort",
        question="Sort the lines of fruits.txt alphabetically into sorted.txt.",
        files=text("fruits.txt", "pear\napple\nmango\n"),
        check=file_is("sorted.txt", "apple\nmango\npear"),
    ),
    Task(
        name="json: sum",
        question="What is the sum of all scores in scores.json?",
        files=text("scores.json", json.dumps({"ann": 12, "bob": 7, "cem": 23})),
        check=says("42"),
    ),
    Task(
        name="json: nested",
        question="Which city does the person named Noa in people.json live in?",
        files=text(
            "people.json",
            json.dumps(
                [
                    {"name": "Max", "address": {"city": "Graz"}},
                    {"name": "Noa", "address": {"city": "Lyon"}},
                ]
            ),
        ),
        check=says("Lyon"),
    ),
    Task(
        name="jsonl: count",
        question="How many events in events.jsonl have the type click?",
        files=text(
            "events.jsonl",
            "".join(
                json.dumps({"type": t}) + "\n" for t in ("click", "view", "click", "view", "view")
            ),
        ),
        check=says("2"),
    ),
    Task(
        name="dates: add",
        question="Which date is 45 days after 2023-12-20?",
        check=says("2024-02-03"),
    ),
    Task(
        name="dates: between",
        question="How many weeks lie between 2024-01-01 and 2024-12-30?",
        check=says("52"),
    ),
    Task(
        name="dates: leap years",
        question="How many leap years are there from 1990 to 2024?",
        check=says("9"),
    ),
    Task(
        name="sqlite: mean",
        question="What is the average number of pages of the books in library.sqlite?",
        files=library,
        check=says("310"),
    ),
    Task(
        name="sqlite: tables",
        question="Which tables does library.sqlite have?",
        files=library,
        check=says("books", "members"),
    ),
    Task(
        name="zip: largest",
        question="Which file in photos.zip is the largest?",
        files=photos,
        check=says("b.raw"),
    ),
    Task(
        name="zip: extract",
        question="Extract photos.zip into a folder named out.",
        files=photos,
        check=holds(
            lambda f: {p.name for p in (f / "out").rglob("*.raw")} == {"a.raw", "b.raw", "c.raw"}
        ),
    ),
    Task(
        name="files: extensions",
        question="How many .py files are in this folder and its subfolders?",
        files=text_files({"a.py": "", "b.txt": "", "sub/c.py": "", "sub/deep/d.py": ""}),
        check=says("3"),
    ),
    Task(
        name="files: move",
        question="Make a folder texts and move all .txt files into it.",
        files=text_files({"a.txt": "1", "b.txt": "2", "c.md": "3"}),
        check=holds(
            lambda f: (
                {p.name for p in (f / "texts").iterdir()} == {"a.txt", "b.txt"}
                and not (f / "a.txt").exists()
            )
        ),
    ),
    Task(
        name="files: empty",
        question="Delete all empty files in this folder.",
        files=text_files({"a.txt": "", "b.txt": "full", "c.txt": ""}),
        check=holds(lambda f: {p.name for p in f.iterdir() if p.is_file()} == {"b.txt"}),
    ),
    Task(
        name="images: rotate",
        question="Rotate tall.png by 90 degrees and save it as wide.png.",
        files=lambda folder: png(folder / "tall.png", 20, 50),
        check=holds(lambda f: size_of(f / "wide.png") == (50, 20)),
    ),
    Task(
        name="images: count pixels",
        question="How many pixels does square.png have in total?",
        files=lambda folder: png(folder / "square.png", 30, 30),
        check=says("900"),
    ),
)
