"""The tasks, by one command; see `benchmarks/README.md`.

python benchmarks/tasks harness --dabench FOLDER      the loop itself, with a scripted model
python benchmarks/tasks own held-out                  a model in a file, on tasks of our own
python benchmarks/tasks easy --dabench FOLDER         the same model on 30 easy questions
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2]))

from oi_daemon.model.local.model_file import EMBEDDED
from tasks import dabench, harness, held_out, own, runs
from tasks.task import Task

parser = argparse.ArgumentParser(prog="python benchmarks/tasks")
parser.add_argument("part", nargs="+", choices=("harness", "own", "held-out", "easy"))
parser.add_argument("--dabench", type=Path, help="folder of a copy of InfiAgent-DABench")
parser.add_argument(
    "--model", default=str(EMBEDDED.path), help="model file; default: the small one"
)
parser.add_argument("--python", default="", help="Python that runs the code")
parser.add_argument("--only", default="", help="a slice of the tasks, such as 0:10")
parser.add_argument("--verbose", action="store_true", help="show code, outputs and answers")
arguments = parser.parse_args()
if arguments.dabench is None and {"harness", "easy"} & {*arguments.part}:
    parser.error("--dabench is needed for `harness` and `easy`")
chosen = slice(*(int(n) if n else None for n in (arguments.only or ":").split(":")))
for part in arguments.part:
    if part == "harness":
        harness.report(dabench.questions(arguments.dabench)[chosen])
        continue
    if part == "easy":
        tasks: Sequence[Task] = dabench.easy_tasks(arguments.dabench)
    else:
        tasks = own.TASKS if part == "own" else held_out.TASKS
    settings = {"model": arguments.model, "python": arguments.python}
    runs.report(part, tasks[chosen], settings, verbose=arguments.verbose)
