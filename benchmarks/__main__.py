"""All benchmarks, one after the other: `python benchmarks`."""

import runpy
from pathlib import Path

for path in sorted(Path(__file__).parent.glob("[a-z]*.py")):
    print(f"\n## {path.stem}\n")
    runpy.run_path(str(path), run_name="__main__")
