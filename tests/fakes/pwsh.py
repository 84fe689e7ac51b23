"""A stand-in for PowerShell: says what PowerShell would with `boot.ps1`, of a language of its own.

A statement is a line: `say X`, `set X`, `get`, `ask X`, `secret X`, `wait`, `throw X`, `exit N`.
"""

import json
import os
import re
import sys
import time


class Shell:
    def __init__(self, nonce: str, control: int, answers: int, source: int) -> None:
        self._nonce = nonce
        self._control = os.fdopen(control, "r", closefd=False)
        self._messages = os.fdopen(control, "w", closefd=False)
        self._answers = os.fdopen(answers, "r", closefd=False)
        self._source = f"/dev/fd/{source}"
        self._told = 0
        self._kept = ""

    def run(self) -> None:
        for number in self._control:
            with open(self._source, encoding="utf-8") as file:  # noqa: PTH123
                statements = file.read().splitlines()
            try:
                self._run_block(statements)
            except KeyboardInterrupt:
                self._write("Stopped: \n")
            except RuntimeError as error:
                self._write(f"Stopped: {error}\n")
                self._tell(error={"name": "RuntimeException", "message": str(error)})
            self._mark("E", int(number))

    def _run_block(self, statements: list[str]) -> None:
        for line, statement in enumerate(statements, 1):
            if statement:
                self._mark("L", line)
                self._do(*statement.partition(" ")[::2])

    def _do(self, word: str, rest: str) -> None:
        match word:
            case "say":
                self._write(f"{rest}\n")
            case "set":
                self._kept = rest
            case "get":
                self._write(f"{self._kept}\n")
            case "ask" | "secret":
                self._write(f"{self._ask(rest, password=word == 'secret')}\n")
            case "wait":
                time.sleep(100)
            case "throw":
                raise RuntimeError(rest)
            case "exit":
                sys.exit(int(rest))

    def _ask(self, prompt: str, *, password: bool) -> str:
        self._tell(input=prompt, password=password)
        number, line = self._answers.readline().split(" ")
        assert int(number) == self._told
        return bytes.fromhex(line).decode().rstrip("\n")

    def _tell(self, **message: object) -> None:
        self._told += 1
        self._messages.write(f"{json.dumps({'number': self._told, **message})}\n")
        self._messages.flush()
        self._mark("D", self._told)

    def _mark(self, kind: str, number: int) -> None:
        self._write(f"\x1e{self._nonce}{kind}{number}\x1f")

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


def main(arguments: list[str]) -> None:
    if arguments == ["--version"]:
        sys.stdout.write("PowerShell 7.4.6\n")
        return
    assert arguments[:4] == ["-NoLogo", "-NoProfile", "-NoExit", "-Command"]
    start = re.fullmatch(r"\. '(.+boot\.ps1)' '(\w+)' (\d+) (\d+) (\d+)", arguments[4])
    assert start is not None
    assert os.path.exists(start[1])  # noqa: PTH110
    Shell(start[2], *map(int, start.groups()[2:])).run()


if __name__ == "__main__":
    main(sys.argv[1:])
