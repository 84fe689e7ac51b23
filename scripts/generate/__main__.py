"""Write what the editors' clients take from the daemon.

`python scripts/generate` writes the wire's types for TypeScript and Lua (from docs/schema.json,
which `scripts/docs` writes), the languages, the words for what a conversation is doing, and the
settings in the manifest of the VS Code extension. With `--check` it writes nothing: the exit code
says whether all files are current.
"""

import sys
from pathlib import Path

import languages
import luacats
import manifest
import typescript
import wire
import words

ROOT = Path(__file__).parents[2]
VSCODE = ROOT / "clients/vscode"
NEOVIM = ROOT / "clients/neovim"


def generated() -> dict[Path, str]:
    """Every generated file and the text that it should have."""
    protocol = wire.read()
    properties, descriptions = manifest.configuration()
    package, nls = VSCODE / "package.json", VSCODE / "package.nls.json"
    return {
        VSCODE / "src/protocol.ts": typescript.types(protocol),
        VSCODE / "src/languageTable.ts": languages.for_typescript(),
        VSCODE / "src/activityWords.ts": words.for_typescript(),
        NEOVIM / "lua/oi/activity_words.lua": words.for_lua(),
        NEOVIM / "types/protocol.lua": luacats.types(protocol),
        NEOVIM / "lua/oi/language_table.lua": languages.for_lua(),
        package: manifest.package(package.read_text("utf-8"), properties),
        nls: manifest.messages(nls.read_text("utf-8"), descriptions),
    }


def main() -> None:
    files = generated()
    stale = [p for p, text in files.items() if not p.exists() or p.read_text("utf-8") != text]
    if "--check" in sys.argv:
        names = ", ".join(str(path.relative_to(ROOT)) for path in stale)
        sys.exit(f"{names}: not as the daemon has it. Run: python scripts/generate" if stale else 0)
    for path in stale:
        path.write_text(files[path], encoding="utf-8")


if __name__ == "__main__":
    main()
