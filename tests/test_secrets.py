"""The key is in the request to the model and nowhere else."""

import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from oi_daemon import Interpreter
from tests.fakes.openai_server import ThreadedServer, error, text
from tests.talk import KEY, code, ready
from tests.wire_client import WireClient

PRINTS = "import os, sys; print(sys.argv, list(globals()), 6 * 7)"


def test_nothing_that_leaves_the_daemon_holds_the_key(home: Path, server: ThreadedServer) -> None:
    server.enqueue(
        code(PRINTS), text("Done."), error(401, f"Incorrect API key provided: {KEY}."), text("Ok.")
    )
    with WireClient() as client:
        ready(client, server.url, auto_run=True, debug_mode=True)
        heard = [
            client.call("oi/stream", {"message": "Go"}),
            client.call("oi/stream", {"message": "Again"}),
            client.call("oi/stream", {"message": "Hi", "settings": {"api_key": f" {KEY}\u00e9"}}),
            client.call("oi/settings/set", {"settings": {"api_key": 7}}),
            client.call("oi/settings/set", {"settings": {"api_key": KEY}}),
            client.call("oi/settings/get"),
            client.call("oi/status"),
            client.call("oi/history/get"),
        ]
        client.close_input()
        heard += [*client.rest(), *client.notifications]
        client.exit_code()
        assert KEY not in client.stderr()
    assert KEY not in str(heard)
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert written(home)
    assert [path for path in written(home) if KEY.encode() in path.read_bytes()] == []


def test_settings_get_tells_only_whether_there_is_a_key(server: ThreadedServer) -> None:
    with WireClient() as client:
        assert client.result("oi/settings/get")["api_key"] is False
        ready(client, server.url)
        assert client.result("oi/settings/get")["api_key"] is True


def test_code_does_not_get_a_key_that_is_a_setting(server: ThreadedServer) -> None:
    with WireClient() as client:
        ready(client, server.url)
        environment = {"language": "python", "code": "import os; print(dict(os.environ))"}
        assert KEY not in str(client.result("oi/execute", environment))


ENVIRONMENT = {"OPENAI_API_KEY": KEY, "MY_OWN_NAME": KEY, "OI_MODEL": "m"}
LOOKS = {
    "python": "import os; print([n for n, v in os.environ.items() if 'abcdef' in v])",
    "shell": "env | grep -c abcdef",
    "javascript": "JSON.stringify(process.env).includes('abcdef')",
    "r": "cat(grep('abcdef', Sys.getenv()))",
    "powershell": "@(Get-ChildItem env: | Where-Object Value -like '*abcdef*').Count",
    "jupyter:python3": "import os; print([n for n, v in os.environ.items() if 'abcdef' in v])",
}
NOTHING = {"python": "[]", "shell": "0", "javascript": "false", "r": "", "powershell": "0"}
NOTHING["jupyter:python3"] = "[]"
FINDS = """
import glob
found = []
for path in glob.glob('/proc/[0-9]*/environ') + glob.glob('/proc/[0-9]*/cmdline'):
    try:
        if b'FIRST' + b'SECOND' in open(path, 'rb').read(): found.append(path)
    except OSError: pass
print(found)
"""
FINDS_IN = {
    "python": FINDS,
    "jupyter:python3": FINDS,
    "shell": """
printf 'FIRST%s' SECOND > .wanted
found=$(grep -laF -f .wanted /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null)
echo "[$found]"
""",
    "javascript": """
const fs = require('fs')
const names = ['environ', 'cmdline']
const paths = fs.readdirSync('/proc').flatMap((pid) => names.map((n) => `/proc/${pid}/${n}`))
const found = paths.filter((path) => {
  try { return fs.readFileSync(path).includes('FIRST' + 'SECOND') } catch { return false }
})
console.log(`[${found}]`)
""",
    "r": """
paths <- Sys.glob(c('/proc/[0-9]*/environ', '/proc/[0-9]*/cmdline'))
holds <- function(path) tryCatch({
  bytes <- readBin(path, 'raw', 1e6)
  grepl(paste0('FIRST', 'SECOND'), rawToChar(bytes[bytes != 0]), fixed = TRUE, useBytes = TRUE)
}, error = function(e) FALSE, warning = function(w) FALSE)
cat('[', paths[vapply(paths, holds, TRUE)], ']', sep = '')
""",
}


def new_key() -> str:
    """A key that no other test has, as all processes of this machine are looked at."""
    return f"sk-{secrets.token_hex(12)}"


def finds(key: str, language: str = "python") -> str:
    """Code that finds a key in /proc, and does not hold it as a whole itself."""
    return FINDS_IN[language].replace("FIRST", key[:12]).replace("SECOND", key[12:])


def skip_unless_available(client: WireClient, language: str) -> None:
    listed = client.result("oi/languages")["languages"]
    names = [name for it in listed if it["available"] for name in (it["name"], *it["aliases"])]
    if language not in names:
        pytest.skip(f"{language} is not installed")


def run(client: WireClient, code: str, language: str = "python") -> str:
    result = client.result("oi/execute", {"language": language, "code": code})
    return str(result["messages"][-1]["output"]).strip()


@pytest.mark.parametrize("language", LOOKS)
def test_code_of_no_language_has_the_key_of_the_environment(home: Path, language: str) -> None:
    with WireClient(environ=ENVIRONMENT) as client:
        skip_unless_available(client, language)
        assert client.result("oi/settings/get")["api_key"] is True
        assert run(client, LOOKS[language], language) == NOTHING[language]


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
@pytest.mark.parametrize("language", FINDS_IN)
def test_no_process_of_ours_shows_the_key_in_proc(
    home: Path, tmp_path: Path, language: str
) -> None:
    """The languages' own processes, which look here, are among them."""
    key = new_key()
    with WireClient(environ={"OPENAI_API_KEY": key, "MY_OWN_NAME": key}) as client:
        skip_unless_available(client, language)
        client.result("oi/settings/set", {"settings": {"cwd": str(tmp_path)}})
        for started in FINDS_IN.keys() & {"python", "shell", "r"}:
            run(client, "1", started)
        assert run(client, finds(key, language), language) == "[]"


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_the_daemon_s_memory_is_closed_to_other_processes_of_the_user(home: Path) -> None:
    """They belong to root, unless the process is dumpable; root itself cannot be kept out."""
    with WireClient(environ=ENVIRONMENT) as client:
        client.result("oi/status")
        environ = Path(f"/proc/{client.process.pid}/environ")
        assert environ.stat().st_uid == 0
        if os.getuid() == 0:
            assert KEY.encode() not in environ.read_bytes()
        else:
            with pytest.raises(PermissionError):
                environ.read_bytes()


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_the_program_shows_no_key_in_proc(home: Path) -> None:
    """Neither by its environment nor by its command line."""
    key = new_key()
    with WireClient() as client:
        script = f"import sys; sys.argv = ['x', '-y', '-ak', sys.argv[1]]\n{CONCEALS}"
        program = subprocess.Popen(
            [sys.executable, "-c", script, key],
            env={**os.environ, "OPENAI_API_KEY": key, "MY_OWN_NAME": key},
            stdout=subprocess.PIPE,
            stdin=subprocess.PIPE,
        )
        assert program.stdout is not None
        assert program.stdout.readline() == f"{key}\n".encode()
        assert run(client, finds(key)) == "[]"
        program.communicate()


CONCEALS = """
import os, subprocess
from oi_daemon import keys
keys.conceal()
subprocess.run(['sh', '-c', 'echo $OPENAI_API_KEY'])
sys.stdin.read()
"""


def test_chosen_names_are_given_back(home: Path) -> None:
    with WireClient(environ={**ENVIRONMENT, "OI_PASS_KEYS": "OPENAI_API_KEY"}) as client:
        told = run(client, LOOKS["python"])
        assert told == "['OPENAI_API_KEY']"


def test_a_variable_that_is_known_as_a_key_later_is_taken_away(home: Path) -> None:
    with WireClient(environ={"MY_OWN_NAME": KEY}) as client:
        assert run(client, LOOKS["python"]) == "['MY_OWN_NAME']"
        client.result("oi/settings/set", {"settings": {"api_key": KEY}})
        assert run(client, LOOKS["python"]).endswith("[]")


def test_a_key_that_code_knows_all_the_same_is_redacted(home: Path, server: ThreadedServer) -> None:
    """In what is sent to the client, stored, and sent to the model; also when it is split."""
    prints = "k = 'sk-test-0123456789'\nprint(k, end='', flush=True)\nprint('abcdef')"
    server.enqueue(code(prints), text("Done."))
    with WireClient(environ=ENVIRONMENT) as client:
        ready(client, server.url, auto_run=True)
        heard = [client.call("oi/stream", {"message": "Go"}), client.notifications]
        heard.append(run(client, "'sk-test-0123456789' + 'abcdef'"))
        assert KEY not in str(heard)
        assert "[key]" in heard[-1]
    assert "[key]" in str(server.requests[-1].body)
    assert KEY not in str(server.requests[-1].body)
    assert [path for path in written(home) if KEY.encode() in path.read_bytes()] == []


@pytest.mark.parametrize("language", ["python", "shell"])
def test_the_history_does_not_hold_it_after_the_environment_was_printed(
    home: Path, server: ThreadedServer, language: str
) -> None:
    """Also where the code gets it, as `pass_keys` says."""
    prints = {"python": "import os; print(os.environ)", "shell": "env; cat /proc/$$/environ"}
    server.enqueue(code(prints[language], language), text("Done."))
    with WireClient(environ={**ENVIRONMENT, "OI_PASS_KEYS": "OPENAI_API_KEY"}) as client:
        ready(client, server.url, auto_run=True, debug_mode=True)
        heard = [client.call("oi/stream", {"message": "Go"}), client.notifications]
        heard.append(client.call("oi/settings/get"))
        client.close_input()
        heard += client.rest()
        client.exit_code()
        assert KEY not in client.stderr()
    assert "OPENAI_API_KEY" in str(heard)
    assert KEY not in str(heard)
    assert KEY not in str(server.requests[-1].body)
    assert [path for path in written(home) if KEY.encode() in path.read_bytes()] == []


def test_the_object_does_not_show_its_key(capsys: pytest.CaptureFixture[str]) -> None:
    interpreter = Interpreter(api_key=KEY)
    assert KEY not in repr(interpreter)
    assert KEY not in str(vars(interpreter)["_settings"])


def written(home: Path) -> list[Path]:
    return [path for path in home.rglob("*") if path.is_file()]
