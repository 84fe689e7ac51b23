"""Corpora of programs, each run as a block and by the language's own program.

python benchmarks/fidelity bash FOLDER            bash's tests, from a copy of its source
python benchmarks/fidelity node FOLDER            Node's test/parallel, from a copy of its source
python benchmarks/fidelity cpython FOLDER         CPython's tests, from an installed package `test`
python benchmarks/fidelity r FOLDER               the examples of R's own packages, from its library
python benchmarks/fidelity node FOLDER --only 0:50 --sample 10 --verbose
"""

import argparse
import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2]))

from fidelity import bash, cpython, node, r
from fidelity.comparison import compare

CORPORA = {
    "bash": bash.CORPUS,
    "cpython": cpython.CORPUS,
    "node": node.CORPUS,
    "r": r.CORPUS,
}

parser = argparse.ArgumentParser(prog="python benchmarks/fidelity")
parser.add_argument("corpus", choices=sorted(CORPORA))
parser.add_argument("folder", type=Path, help="folder of the corpus")
parser.add_argument("names", nargs="*", help="names of programs; default: all")
parser.add_argument("--only", default=":", help="a slice of the programs, such as 0:100")
parser.add_argument("--sample", type=int, default=1, help="take every n-th program only")
parser.add_argument("--timeout", type=float, default=20, help="seconds that each may take")
parser.add_argument("--verbose", action="store_true", help="show the outputs that differ")
arguments = parser.parse_args()
start, stop = (int(n) if n else None for n in arguments.only.split(":"))
corpus = CORPORA[arguments.corpus]
programs = [
    program
    for program in corpus.programs(arguments.folder.resolve())
    if not arguments.names or program.name in arguments.names
][slice(start, stop, arguments.sample)]
asyncio.run(compare(corpus, programs, arguments.timeout, arguments.verbose))
