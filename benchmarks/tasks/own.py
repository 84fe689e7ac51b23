"""Twenty tasks of our own: files, CSV, dates, text, SQLite, JSON, zip and images."""

import json
import sqlite3
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from tasks.images import png, size_of
from tasks.task import Task, file_is, holds, says


def text(name: str, content: str) -> Callable[[Path], None]:
    """Return a function that writes one file."""
    return text_files({name: content})


def text_files(files: Mapping[str, str]) -> Callable[[Path], None]:
    """Return a function that writes these files, by their names."""

    def write(folder: Path) -> None:
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)

    return write


def shop(folder: Path) -> None:
    with sqlite3.connect(folder / "shop.db") as db:
        db.execute("CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT)")
        db.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER, total REAL)")
        db.executemany("INSERT INTO customers VALUES (?, ?)", [(1, "Ann"), (2, "Bo"), (3, "Cy")])
        orders = [(1, 1, 20.0), (2, 2, 35.5), (3, 1, 10.0), (4, 3, 25.0), (5, 2, 4.5)]
        db.executemany("INSERT INTO orders VALUES (?, ?, ?)", orders)
    db.close()


def backup(folder: Path) -> None:
    with zipfile.ZipFile(folder / "backup.zip", "w") as archive:
        for n in range(7):
            archive.writestr(f"page{n}.txt", f"page {n}")


LOG = "".join(
    f"2024-05-{day:02} 12:00:00 {level} something happened\n"
    for day, level in enumerate(["INFO", "ERROR", "INFO", "WARNING", "ERROR", "INFO", "ERROR"], 1)
)

TASKS = (
    Task(
        name="csv: a product of two columns",
        question="What is the total revenue (quantity times price) in sales.csv?",
        files=text(
            "sales.csv",
            "date,product,quantity,price\n2024-01-01,apple,3,1.5\n"
            "2024-01-02,pear,2,2.25\n2024-01-03,plum,10,0.4\n",
        ),
        check=says("13"),
    ),
    Task(
        name="csv: the row of a maximum",
        question="Who is the oldest person in people.csv?",
        files=text("people.csv", "name,age,city\nMia,34,Bonn\nTom,57,Kiel\nEva,41,Ulm\n"),
        check=says("Tom"),
    ),
    Task(
        name="csv: groups",
        question="Which department in staff.csv has the highest average salary?",
        files=text(
            "staff.csv",
            "name,department,salary\nA,sales,3000\nB,sales,3400\nC,it,4000\n"
            "D,it,3900\nE,law,2000\nF,law,5500\n",
        ),
        check=says("it"),
    ),
    Task(
        name="csv: semicolons and decimal commas",
        question="What is the average temperature in readings.csv?",
        files=text("readings.csv", "station;temperature\nA;20,5\nB;21,0\nC;18,5\n"),
        check=says("20"),
    ),
    Task(
        name="text: lines of a log",
        question="How many lines of server.log contain the word ERROR?",
        files=text("server.log", LOG),
        check=says("3"),
    ),
    Task(
        name="text: the most frequent word",
        question="Which word occurs most often in poem.txt?",
        files=text("poem.txt", "the sea and the wind\nand the stars above the sea\n"),
        check=says("the"),
    ),
    Task(
        name="json: a condition",
        question="How many users in users.json are active?",
        files=text(
            "users.json",
            json.dumps(
                {
                    "users": [
                        {"name": "a", "active": True},
                        {"name": "b", "active": False},
                        {"name": "c", "active": True},
                        {"name": "d", "active": True},
                    ]
                }
            ),
        ),
        check=says("3"),
    ),
    Task(
        name="json: a maximum",
        question="What is the most expensive item in items.json?",
        files=text(
            "items.json",
            json.dumps(
                [
                    {"item": "lamp", "price": 30},
                    {"item": "desk", "price": 120},
                    {"item": "pen", "price": 2},
                ]
            ),
        ),
        check=says("desk"),
    ),
    Task(
        name="dates: days between",
        question="How many days are there from 2024-02-10 to 2024-03-10?",
        check=says("29"),
    ),
    Task(name="dates: a weekday", question="What weekday was 2000-02-29?", check=says("Tuesday")),
    Task(
        name="sqlite: count",
        question="How many orders are in the database shop.db?",
        files=shop,
        check=says("5"),
    ),
    Task(
        name="sqlite: two tables",
        question="Which customer in shop.db has spent the most in total?",
        files=shop,
        check=says("Bo"),
    ),
    Task(
        name="zip: count",
        question="How many files are in backup.zip?",
        files=backup,
        check=says("7"),
    ),
    Task(
        name="zip: make one",
        question="Put all .txt files of this folder into a new archive notes.zip.",
        files=text_files({"a.txt": "a", "b.txt": "b", "c.md": "c"}),
        check=holds(
            lambda folder: (
                sorted(Path(n).name for n in zipfile.ZipFile(folder / "notes.zip").namelist())
                == ["a.txt", "b.txt"]
            )
        ),
    ),
    Task(
        name="files: rename",
        question="Rename all .jpeg files in this folder so that they end in .jpg.",
        files=text_files({"x.jpeg": "1", "y.jpeg": "2", "z.txt": "3"}),
        check=holds(
            lambda folder: (
                {"x.jpg", "y.jpg", "z.txt"} <= {p.name for p in folder.iterdir()}
                and not list(folder.glob("*.jpeg"))
            )
        ),
    ),
    Task(
        name="files: the largest",
        question="Which file in this folder is the largest?",
        files=text_files({"small.txt": "1", "report.md": "x" * 5000, "middle.csv": "a,b\n" * 30}),
        check=says("report.md"),
    ),
    Task(
        name="files: write lines",
        question="Write the squares of the numbers 1 to 10 to squares.txt, one on each line.",
        check=file_is("squares.txt", "\n".join(str(n * n) for n in range(1, 11))),
    ),
    Task(
        name="csv to json",
        question="Convert cities.csv to cities.json, as a list of objects.",
        files=text("cities.csv", "city,country\nParis,France\nRome,Italy\n"),
        check=holds(
            lambda folder: (
                json.loads((folder / "cities.json").read_text())
                == [{"city": "Paris", "country": "France"}, {"city": "Rome", "country": "Italy"}]
            )
        ),
    ),
    Task(
        name="images: size",
        question="How wide and how high is the picture logo.png, in pixels?",
        files=lambda folder: png(folder / "logo.png", 64, 48),
        check=says("64", "48"),
    ),
    Task(
        name="images: scale",
        question="Make photo.png half as wide and half as high, and save that as small.png.",
        files=lambda folder: png(folder / "photo.png", 80, 60),
        check=holds(lambda folder: size_of(folder / "small.png") == (40, 30)),
    ),
)
