"""What a sandbox refuses, to Python, to a child of it and to the shell; and what it leaves."""

import asyncio
import os
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.execution.language import Workplace
from oi_daemon.execution.sandbox import landlock
from oi_daemon.execution.sandbox.sandbox import Sandbox, parse_folders
from tests.execution.runs import Running, displays, output, run, text
from tests.execution.test_guard import alive, start, workers
from tests.patience import until

Mode = Literal["write-protect", "isolated"]

MODES: tuple[Mode, ...] = ("write-protect", "isolated")

pytestmark = pytest.mark.skipif(
    landlock.version() < landlock.LEAST, reason="this system has no Landlock to test it with"
)


@asynccontextmanager
async def sandboxed(workplace: Workplace, mode: Mode, *more: Path) -> AsyncIterator[Interpreters]:
    folders = (workplace.cwd, *map(str, more))
    interpreters = Interpreters(replace(workplace, sandbox=Sandbox(mode=mode, folders=folders)))
    yield interpreters
    await interpreters.close()


def writing(path: Path) -> list[tuple[str, str]]:
    """The same write from each language, and from a child of a child."""
    return [
        ("python", f"open({str(path)!r}, 'w').write('x')"),
        ("python", f"import os\nos.system('echo x > {path}')"),
        ("python", f"import subprocess\nsubprocess.run(['sh', '-c', 'sh -c \"touch {path}\"'])"),
        ("python", f"!touch {path}"),
        ("shell", f"echo x > {path}"),
        ("shell", f"sh -c 'touch {path}'"),
        ("shell", f"setsid touch {path}"),
        ("javascript", f"require('fs').writeFileSync({str(path)!r}, 'x')"),
        ("javascript", f"require('child_process').execSync('touch {path}')"),
    ]


@pytest.mark.parametrize("mode", MODES)
async def test_a_write_outside_is_refused_and_explained(workplace: Workplace, mode: Mode) -> None:
    outside = Path(workplace.cwd).parent / "outside"
    async with sandboxed(workplace, mode) as interpreters:
        for language, code in writing(outside):
            told = await output(interpreters, code, language=language)
            assert not outside.exists(), code
            assert f"[The sandbox may have refused this: with the setting sandbox = {mode}" in told
            assert workplace.cwd in told


@pytest.mark.parametrize("mode", MODES)
async def test_a_write_in_its_folders_is_no_matter(workplace: Workplace, mode: Mode) -> None:
    more = Path(workplace.cwd).parent / "more"
    more.mkdir()
    async with sandboxed(workplace, mode, more) as interpreters:
        for folder in (Path(workplace.cwd), more):
            for language, code in writing(folder / "written"):
                assert "sandbox" not in await output(interpreters, code, language=language)
                assert (folder / "written").exists(), code
                (folder / "written").unlink()


async def test_no_way_around_by_the_names_of_files(workplace: Workplace) -> None:
    """Removing, renaming, linking, cutting, and devices that are made in the own folder."""
    outside = Path(workplace.cwd).parent / "outside"
    (outside / "folder").mkdir(parents=True)
    (outside / "file").write_text("kept")
    before = sorted(outside.rglob("*"))
    tries = [
        "os.remove(f'{outside}/file')",
        "os.rmdir(f'{outside}/folder')",
        "os.rename(f'{outside}/file', 'mine')",
        "os.link(f'{outside}/file', 'mine')",
        "os.truncate(f'{outside}/file', 0)",
        "os.mkdir(f'{outside}/new')",
        "os.symlink('x', f'{outside}/new')",
        "os.mkfifo(f'{outside}/new')",
        "os.mknod('device', 0o600 | 0o060000, os.makedev(8, 0))",
        "(os.symlink(outside, 'link'), open('link/new', 'w'))",
    ]
    async with sandboxed(workplace, "write-protect") as interpreters:
        for code in tries:
            told = await output(interpreters, f"import os\noutside = {str(outside)!r}\n{code}")
            assert "Error" in told, code
    assert sorted(outside.rglob("*")) == before
    assert (outside / "file").read_text() == "kept"


@pytest.mark.parametrize("mode", MODES)
async def test_temporary_files_have_a_folder_that_goes_with_the_interpreters(
    workplace: Workplace, mode: Mode
) -> None:
    """The languages of a conversation share it."""
    code = "import tempfile\nprint(tempfile.mkdtemp())"
    async with sandboxed(workplace, mode) as interpreters:
        made = (await output(interpreters, code)).strip()
        assert "yes" in await output(interpreters, f"[ -d {made} ] && echo yes", language="shell")
    assert not Path(made).parent.exists()


class Listener:
    """Hears who comes over TCP, UDP or a socket that is a file."""

    def __init__(self, folder: Path) -> None:
        self.file = str(folder / "socket")
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.unix = socket.socket(socket.AF_UNIX)
        self.unix.bind(self.file)
        self.unix.listen()

    def heard(self) -> list[str]:
        """Those that have come. Over loopback, whoever has been let through is here at once."""
        heard = []
        for name, listening in (("tcp", self.tcp), ("udp", self.udp), ("unix", self.unix)):
            listening.setblocking(False)
            try:
                listening.recv(9) if name == "udp" else listening.accept()[0].close()
                heard.append(name)
            except BlockingIOError:
                pass
            listening.close()
        return heard

    def calls(self) -> list[tuple[str, str]]:
        tcp, udp = self.tcp.getsockname()[1], self.udp.getsockname()[1]
        python = "import socket\nsocket.socket({}).{}"
        return [
            ("python", python.format("", f"connect(('127.0.0.1', {tcp}))")),
            ("python", python.format("2, 2", f"sendto(b'x', ('127.0.0.1', {udp}))")),
            ("python", python.format("1", f"connect({self.file!r})")),
            ("shell", f"echo x > /dev/tcp/127.0.0.1/{tcp}"),
            ("shell", f"echo x > /dev/udp/127.0.0.1/{udp}"),
            (
                "shell",
                f"python -c \"import socket; socket.create_connection(('127.0.0.1', {tcp}))\"",
            ),
        ]


async def test_isolated_code_has_no_network(workplace: Workplace, tmp_path: Path) -> None:
    listener = Listener(tmp_path)
    async with sandboxed(workplace, "isolated") as interpreters:
        for language, code in listener.calls():
            told = await output(interpreters, code, language=language)
            assert "etwork is unreachable" in told
            assert "has no network" in told
    assert listener.heard() == []


async def test_write_protected_code_has_the_network(workplace: Workplace, tmp_path: Path) -> None:
    listener = Listener(tmp_path)
    async with sandboxed(workplace, "write-protect") as interpreters:
        for language, code in listener.calls():
            assert "sandbox" not in await output(interpreters, code, language=language)
    assert listener.heard() == ["tcp", "udp", "unix"]


async def test_isolated_code_does_not_read_the_home(workplace: Workplace, home: Path) -> None:
    (home / ".ssh").mkdir()
    (home / ".ssh" / "id").write_text("secret words")
    own = Path(workplace.cwd) / "data"
    own.write_text("own words")
    reads = [
        ("python", "print(open('{}').read())"),
        ("python", "import os\nos.system('cat {}')"),
        ("shell", "cat {}"),
    ]
    async with sandboxed(workplace, "isolated") as interpreters:
        for language, code in reads:
            refused = await output(
                interpreters, code.format(home / ".ssh" / "id"), language=language
            )
            assert "secret words" not in refused
            assert "reads nothing else of the home folder" in refused
            assert "own words" in await output(interpreters, code.format(own), language=language)


async def test_a_link_among_the_tools_does_not_open_the_home(
    workplace: Workplace, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Code may put one there, for the next interpreter to start with."""
    (home / "private").mkdir()
    (home / "private" / "file").write_text("secret words")
    tools = Path(workplace.cwd) / "tools"
    tools.symlink_to(home / "private")
    monkeypatch.setenv("PATH", f"{tools}/bin{os.pathsep}{os.environ['PATH']}")
    async with sandboxed(workplace, "isolated") as interpreters:
        assert "PermissionError" in await output(interpreters, f"open({f'{tools}/file'!r})")


@pytest.mark.parametrize("mode", MODES)
async def test_the_daemon_cannot_be_looked_into_or_ended(workplace: Workplace, mode: Mode) -> None:
    """Its environment may hold a key."""
    async with sandboxed(workplace, mode) as interpreters:
        for code in (f"open('/proc/{os.getpid()}/environ')", f"os.kill({os.getpid()}, 0)"):
            assert "PermissionError" in await output(interpreters, f"import os\n{code}")


def install_python(folder: Path, says: str) -> Path:
    """Make what looks like an installation of Python; return its program, which says a word."""
    (folder / "bin").mkdir(parents=True)
    (folder / "lib" / "python3.11").mkdir(parents=True)
    (folder / "lib" / "python3.11" / "os.py").write_text(f"{says}\n")
    program = folder / "bin" / "python3.11"
    program.write_text(f"#!/bin/sh\ncat {folder}/lib/python3.11/os.py\n")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize("place", ["project", "elsewhere"])
async def test_a_virtual_environment_s_python_runs_whose_installation_is_not_in_path(
    workplace: Workplace, home: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """As uv and pyenv have it, in a folder of the home."""
    program = install_python(home / "pythons" / "3.11", "installed")
    (home / "pythons" / "else").write_text("secret words")
    venv = (Path(workplace.cwd) if place == "project" else home) / ".venv" / "bin"
    venv.mkdir(parents=True)
    (venv / "python").symlink_to(program)
    monkeypatch.setenv("PATH", f"{venv}{os.pathsep}{os.environ['PATH']}")
    async with sandboxed(workplace, "isolated") as interpreters:
        assert "installed" in await output(interpreters, f"{venv}/python", language="shell")
        refused = await output(interpreters, f"cat {home}/pythons/else", language="shell")
        assert "Permission denied" in refused


@pytest.mark.parametrize("target", ["private/bin/python", "private/python", "bin/python"])
async def test_a_link_that_is_called_python_does_not_open_the_home(
    workplace: Workplace, home: Path, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    """Also if the home itself holds an installation, which then is to be in PATH."""
    install_python(home, "installed")
    (home / "private" / "bin").mkdir(parents=True)
    (home / "private" / "file").write_text("secret words")
    (home / target).parent.mkdir(exist_ok=True)
    (home / target).write_text("#!/bin/sh\n")
    (home / target).chmod(0o755)
    tools = Path(workplace.cwd) / "bin"
    tools.mkdir()
    (tools / "python").symlink_to(home / target)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    async with sandboxed(replace(workplace, python=str(tools / "python")), "isolated") as it:
        refused = await output(it, f"cat {home}/private/file", language="shell")
        assert "Permission denied" in refused


@pytest.mark.parametrize("mode", MODES)
async def test_programs_run_as_they_do_without(workplace: Workplace, mode: Mode) -> None:
    async with sandboxed(workplace, mode) as interpreters:
        for code, told in [
            ("import multiprocessing\nwith multiprocessing.Lock(): print(1)", "1\n"),
            (
                "import subprocess\nsubprocess.check_output(['python', '-c', 'print(2)'])",
                "b'2\\n'\n",
            ),
            ("open('/dev/null', 'w').write('x')", "1\n"),
            ("import asyncio\nawait asyncio.sleep(0, 3)", "3\n"),
            ("import matplotlib.pyplot as plt\nplt.close(plt.figure())\n4", "4\n"),
        ]:
            assert (await output(interpreters, code)).endswith(told)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("language", ["python", "shell"])
async def test_input_and_interrupts_work_in_it(
    workplace: Workplace, mode: Mode, language: str
) -> None:
    ask = {"python": "import os\nos.system('cat')", "shell": "cat"}[language]
    wait = {"python": "print(1)\nimport time\ntime.sleep(60)", "shell": "echo 1\nsleep 60"}[
        language
    ]
    async with sandboxed(workplace, mode) as interpreters:
        told = await output(interpreters, ask, language=language, answers=["a line", None])
        assert told.startswith("a line\n")
        block = Running(interpreters, wait, language)
        await block.seen("1")
        interpreters.interrupt()
        await block.end()
        assert "lost" not in text(block.chunks)


@pytest.mark.parametrize("mode", MODES)
async def test_r_has_its_plots_and_temporary_files_in_it(workplace: Workplace, mode: Mode) -> None:
    code = "plot(1)\nx <- readline()\nwriteLines(x, tempfile())\nwriteLines(x, 'a')\nreadLines('a')"
    async with sandboxed(workplace, mode) as interpreters:
        chunks = await run(interpreters, code, language="r", answers=["b"])
    assert text(chunks) == '[1] "b"\n'
    assert len(displays(chunks)) == 1


@pytest.mark.parametrize("mode", MODES)
async def test_nothing_of_it_outlives_the_daemon(mode: Mode) -> None:
    host = start("shell", "setsid sleep 100 &\nsleep 100 &\necho started\nsleep 100", sandbox=mode)
    await until(lambda: len(workers(host.pid)) >= 5)
    left = workers(host.pid)
    host.kill()
    await until(lambda: not alive(left))
    host.communicate()


async def test_the_daemon_itself_stays_free(workplace: Workplace, tmp_path: Path) -> None:
    async with sandboxed(workplace, "isolated") as interpreters:
        await run(interpreters, "1")
        (tmp_path / "outside").write_text("x")
        await asyncio.to_thread((tmp_path / "again").write_text, "x")
        socket.socket().close()
    assert "sandbox" not in "".join(thread.name for thread in threading.enumerate())


@pytest.mark.parametrize("language", ["python", "shell"])
async def test_where_there_is_no_sandbox_nothing_runs(
    workplace: Workplace, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landlock, "version", lambda: 0)
    async with sandboxed(workplace, "write-protect") as interpreters:
        await interpreters.warm()
        told = await output(interpreters, "touch ran || open('ran', 'w')", language=language)
    assert told.startswith("Nothing was run: the setting sandbox = write-protect is not possible")
    assert "sandbox = none" in told
    assert not os.listdir(workplace.cwd)  # noqa: PTH208


@pytest.mark.parametrize(
    ("folder", "why"),
    [
        ("/", "/ contains all files"),
        ("//", "// contains all files"),
        ("/no/such/folder", "there is no folder /no/such/folder"),
    ],
)
async def test_folders_that_make_no_sandbox_are_refused(
    workplace: Workplace, folder: str, why: str
) -> None:
    async with sandboxed(workplace, "write-protect", Path(folder)) as interpreters:
        told = await output(interpreters, "print(1 + 1)")
    assert told.startswith("Nothing was run: ")
    assert why in told
    assert "sandbox_folders" in told


def test_folders_are_named_as_people_do(home: Path) -> None:
    assert parse_folders(f"~/data: out : {home}/data", "/work") == (f"{home}/data", "/work")
    assert parse_folders("../b:", "/a/c") == ("/a/b", "/a/c")
    assert parse_folders(None, "/a") == ("/a",)


async def test_output_that_only_looks_like_a_refusal_is_marked_once(workplace: Workplace) -> None:
    async with sandboxed(workplace, "write-protect") as interpreters:
        told = await output(interpreters, "for _ in range(3): print('Permission den', end='ied')")
    assert told.count("The sandbox") == 1
    assert "\n[The sandbox" in told


@pytest.mark.parametrize("mode", MODES)
async def test_variables_survive_a_crash_in_it(workplace: Workplace, mode: Mode) -> None:
    outside = Path(workplace.cwd).parent / "outside"
    async with sandboxed(workplace, mode) as interpreters:
        await run(interpreters, "x = 5")
        await run(interpreters, "import os\nos._exit(3)")
        assert await output(interpreters, "x") == "5\n"
        assert "PermissionError" in await output(interpreters, f"open({str(outside)!r}, 'w')")


@pytest.mark.parametrize("mode", MODES)
async def test_a_crash_does_not_end_the_sandbox(
    workplace: Workplace, tmp_path: Path, mode: Mode
) -> None:
    """The copy that goes on is held by it as well, and has the variables."""
    async with sandboxed(workplace, mode) as interpreters:
        await run(interpreters, "import os\nx = 5")
        assert "as they were before this block" in await output(interpreters, "os._exit(3)")
        assert await output(interpreters, "x") == "5\n"
        code = f"open({str(tmp_path / 'outside')!r}, 'w')"
        assert "PermissionError" in await output(interpreters, code)
