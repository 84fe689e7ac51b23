"""The examples in the documentation of R's own packages, each page as a whole.

Blocks print warnings at once and keep the source of functions. Both are options of R, which are set
for the program as well, and so is a device like that of blocks: their pages have another size than
R's PDF. Left out are examples that measure time or look at their own process.
"""

import atexit
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from fidelity.program import Corpus, Program

PACKAGES = (
    *("base", "stats", "utils", "methods", "tools", "graphics", "grDevices", "datasets"),
    *("grid", "splines", "stats4", "parallel", "compiler"),
)
EXTRACT = """
given <- commandArgs(TRUE)
for (package in given[-(1:2)]) {
  pages <- tools::Rd_db(package, lib.loc = given[1])
  for (name in names(pages)) {
    file <- file.path(given[2], sprintf("%s.%s.R", package, sub("[.]Rd$", "", basename(name))))
    tools::Rd2ex(pages[[name]], file)
  }
}
"""
UNFIT = re.compile(
    r"commandArgs|Rprof|proc\.time|system\.time|Sys\.(time|Date|getpid|info|getenv\(\))|sessionInfo"
    r"|browser\(|readline\(|interactive\(|quit\(|memory\.profile|\bgc\(|\bsearch\(\)|\bls\(\)"
)
OPTIONS = "options(warn = 1, keep.source = TRUE)\n"
DEVICE = """\
options(device = function(...) {
  type <- if (capabilities("cairo")) "cairo" else getOption("bitmapType")
  grDevices::png(tempfile(), 960, 720, res = 120, type = type)
})
"""
VARYING = re.compile(
    r"0x[0-9a-f]+"  # addresses
    r"|/[\w./-]*Rtmp\w+[\w./-]*"  # temporary files
)


def programs(folder: Path) -> Iterator[Program]:
    """The examples of the packages in this library of R, in the order of their names."""
    extracted = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, extracted, ignore_errors=True)
    command = ("Rscript", "-e", EXTRACT, str(folder), str(extracted), *PACKAGES)
    subprocess.run(command, check=True)
    for file in sorted(extracted.glob("*.R")):
        package = file.name.partition(".")[0]
        code = f"{OPTIONS}library({package})\n{file.read_text(errors='replace')}\n"
        if not UNFIT.search(code):
            file.write_text(DEVICE + code)
            yield Program(file.stem, code, ("Rscript", str(file)), extracted)


def normalized(output: str) -> str:
    """The output without addresses and names of temporary files."""
    return VARYING.sub("...", output)


CORPUS = Corpus("r", programs, normalized)
