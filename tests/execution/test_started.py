"""What code has started and what runs now is listed."""

import sys

import pytest

from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.execution.language import StartedProcess
from tests.execution.runs import output, run
from tests.execution.test_guard import alive
from tests.patience import until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it is read from /proc")

SERVER = """\
import http.server, threading
server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
print(server.server_port, flush=True)
server.serve_forever()
"""


async def started(interpreters: Interpreters, language: str) -> list[StartedProcess]:
    return (await interpreters.started())[language]


async def test_a_server_is_listed_with_its_port(interpreters: Interpreters) -> None:
    await run(interpreters, f"open('server.py', 'w').write({SERVER!r})\nimport subprocess, sys")
    code = "p = subprocess.Popen([sys.executable, 'server.py'], stdout=-1)\n"
    code += "p.pid, int(p.stdout.readline())"
    pid, port = map(int, (await output(interpreters, code)).strip("()\n").split(","))

    [server] = await started(interpreters, "python")

    assert (server.pid, server.ports) == (pid, (port,))
    assert server.command.endswith("server.py")
    assert 0 <= server.seconds < 600
    await interpreters.close()
    await until(lambda: not alive({pid}))


async def test_what_runs_on_in_the_shells_background(interpreters: Interpreters) -> None:
    """Also in a session of its own, with another parent, or with an empty environment."""
    code = "sleep 61 & (setsid sleep 62 &) ; env -i sleep 63 &"
    await run(interpreters, code, language="shell")

    shell = interpreters._processes["shell"]

    def commands() -> list[str]:
        return sorted(each.command for each in shell.started())

    await until(lambda: commands() == ["sleep 61", "sleep 62", "sleep 63"])
    await run(interpreters, "kill %1; wait %1", language="shell")
    assert commands() == ["sleep 62", "sleep 63"]


async def test_the_workers_own_processes_are_not_listed(interpreters: Interpreters) -> None:
    """Neither the standby nor, after a crash, the parent that it was."""
    await run(interpreters, "import os\nx = 5")
    assert await started(interpreters, "python") == []
    await run(interpreters, "os._exit(1)")
    await run(interpreters, "y = len(str(x))")
    assert await started(interpreters, "python") == []


async def test_a_fork_is_listed_without_the_workers_command(interpreters: Interpreters) -> None:
    code = "import os, time\nchild = os.fork()\nif not child: time.sleep(60)\nchild"
    pid = int(await output(interpreters, code))

    [fork] = await started(interpreters, "python")

    assert fork.pid == pid
    assert fork.command.startswith("a fork of python")
    await run(interpreters, "os.kill(child, 9)\nos.wait()")
    assert await started(interpreters, "python") == []
