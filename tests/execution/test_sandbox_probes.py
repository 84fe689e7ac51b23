"""More than 100 attempts to touch other processes and what they share, in each kind of sandbox."""

import ctypes
import json
import os
import platform
import resource
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.execution.language import Workplace
from oi_daemon.execution.sandbox import landlock, seccomp
from oi_daemon.execution.sandbox.sandbox import Sandbox
from tests.execution.runs import output
from tests.execution.test_sandbox import MODES, Mode

pytestmark = [
    pytest.mark.skipif(
        landlock.version() < landlock.LEAST, reason="this system has no Landlock to test it with"
    ),
    pytest.mark.skipif(
        not seccomp.is_known_machine(), reason="the system calls of this machine are not known"
    ),
]

LIMITS = [f"resource.prlimit(victim, {n}, (1, 1))" for n in range(16)] + [
    "resource.prlimit(daemon, resource.RLIMIT_CPU, (1, 1))",
    "resource.prlimit(daemon, resource.RLIMIT_NOFILE, (3, 3))",
    "resource.prlimit(daemon, resource.RLIMIT_AS, (1 << 20, 1 << 20))",
    "resource.prlimit(victim, resource.RLIMIT_CPU)",
]
SCHEDULING = [
    *(
        f"os.sched_setscheduler({who}, os.SCHED_{policy}, os.sched_param({priority}))"
        for who in ("victim", "daemon")
        for policy, priority in [("OTHER", 0), ("BATCH", 0), ("IDLE", 0), ("FIFO", 1), ("RR", 1)]
    ),
    "os.sched_setparam(victim, os.sched_param(0))",
    "os.sched_setparam(daemon, os.sched_param(0))",
    "os.sched_setaffinity(victim, {0})",
    "os.sched_setaffinity(daemon, {0})",
    "call('sched_setattr', victim, attributes, 0)",
    "call('sched_setattr', daemon, attributes, 0)",
]
"""Reported as a success, and without any effect."""
PRIORITIES = [
    "os.setpriority(os.PRIO_PROCESS, victim, 5)",
    "os.setpriority(os.PRIO_PROCESS, daemon, 5)",
    "os.setpriority(os.PRIO_PGRP, os.getpgid(victim), 5)",
    "os.setpriority(os.PRIO_USER, 0, 5)",
    "os.setpriority(os.PRIO_USER, os.getuid(), 5)",
    "call('ioprio_set', 1, victim, 3 << 13)",
    "call('ioprio_set', 1, daemon, 3 << 13)",
    "call('ioprio_set', 2, os.getpgid(victim), 3 << 13)",
    "call('ioprio_set', 3, 0, 3 << 13)",
    "call('ioprio_set', 3, os.getuid(), 3 << 13)",
]
SHARED = [
    "call('add_key', b'user', b'oi', b'x', 1, -4)",
    "call('request_key', b'user', b'oi', None, -4)",
    "call('keyctl', 0, -4, 1)",
    "call('keyctl', 1, b'oi')",
    "call('keyctl', 11, -4, None, 0)",
    "call('shmget', 0, 4096, 0o1600)",
    "call('shmat', shm, None, 0)",
    "call('shmat', shm, None, 0o10000)",
    "call('shmctl', shm, 0, None)",
    "call('shmctl', shm, 2, space)",
    "call('semget', 0, 1, 0o1600)",
    "call('semop', sem, space, 1)",
    "call('semctl', sem, 0, 16, 1)",
    "call('semctl', sem, 0, 0, 0)",
    "call('msgget', 0, 0o1600)",
    "call('msgsnd', msg, space, 1, 0o4000)",
    "call('msgrcv', msg, space, 1, 0, 0o4000)",
    "call('msgctl', msg, 0, None)",
    "call('mq_open', b'oi-probe', 0o102, 0o600, None)",
    "call('mq_open', queue, 0, 0, None)",
    "call('mq_unlink', queue)",
]
LOOKING = [
    "call(process_vm_readv, victim, vector, 1, vector, 1, 0)",
    "call(process_vm_readv, daemon, vector, 1, vector, 1, 0)",
    "call(process_vm_writev, victim, vector, 1, vector, 1, 0)",
    "call(process_vm_writev, daemon, vector, 1, vector, 1, 0)",
    "call(ptrace, 16, victim, 0, 0)",
    "call(ptrace, 16, daemon, 0, 0)",
    "call(ptrace, 0x4206, victim, 0, 0)",
    "call(ptrace, 0x4206, daemon, 0, 0)",
    "call(kcmp, os.getpid(), victim, 1, 0, 0)",
    "call(438, os.pidfd_open(victim), 0, 0)",
    "call(438, os.pidfd_open(daemon), 0, 0)",
    "open(f'/proc/{victim}/mem', 'rb')",
    "open(f'/proc/{victim}/mem', 'r+b')",
    "open(f'/proc/{daemon}/mem', 'rb')",
    "open(f'/proc/{daemon}/mem', 'r+b')",
    "open(f'/proc/{victim}/environ').read()",
    "open(f'/proc/{daemon}/environ').read()",
    "open(f'/proc/{victim}/maps').read()",
    "open(f'/proc/{daemon}/maps').read()",
    "os.readlink(f'/proc/{victim}/exe')",
    "os.readlink(f'/proc/{victim}/cwd')",
    "os.readlink(f'/proc/{daemon}/cwd')",
    "os.readlink(f'/proc/{victim}/fd/0')",
    "os.readlink(f'/proc/{daemon}/fd/0')",
    "open(f'/proc/{victim}/fd/0')",
    "call('move_pages', victim, 0, None, None, None, 0)",
    "call('migrate_pages', victim, 1, space, space)",
    "call(440, os.pidfd_open(victim), space, 1, 20, 0)",
    "call(308 if x86 else 268, os.pidfd_open(victim), 0x20000000)",
]
SIGNALS = [
    *(f"os.kill(victim, {number})" for number in (0, 1, 2, 9, 15, 18, 19)),
    "os.kill(daemon, 0)",
    "os.kill(daemon, 28)",
    "os.killpg(os.getpgid(victim), 0)",
    "signal.pidfd_send_signal(os.pidfd_open(victim), 9)",
    "signal.pidfd_send_signal(os.pidfd_open(daemon), 0)",
]
FILES = [
    "open(f'/proc/{victim}/oom_score_adj', 'w').write('0')",
    "open(f'/proc/{daemon}/oom_score_adj', 'w').write('0')",
    "open(f'/proc/{victim}/comm', 'w').write('x')",
    "open(f'/proc/{victim}/coredump_filter', 'w').write('0')",
    "open(f'/proc/{victim}/autogroup', 'w').write('5')",
    "open(f'{outside}/file', 'w')",
    "open(f'{outside}/file', 'a')",
    "os.truncate(f'{outside}/file', 0)",
    "os.remove(f'{outside}/file')",
    "os.rename(f'{outside}/file', 'mine')",
    "os.link(f'{outside}/file', 'mine')",
    "os.mkdir(f'{outside}/new')",
    "os.rmdir(f'{outside}/folder')",
    "os.symlink('x', f'{outside}/new')",
    "os.mkfifo(f'{outside}/new')",
    "os.mknod('device', 0o600 | 0o060000, os.makedev(8, 0))",
    "libc(lambda c: c.mount(b'none', b'.', b'tmpfs', 0, None))",
    "libc(lambda c: c.chroot(b'.'))",
    "libc(lambda c: c.sethostname(b'x', 1))",
]
ISOLATED = [
    *(
        f"socket.socket(socket.AF_{family}, socket.SOCK_{kind})"
        for family, kind in [
            ("INET", "STREAM"),
            ("INET", "DGRAM"),
            ("INET6", "STREAM"),
            ("INET6", "DGRAM"),
            ("UNIX", "STREAM"),
            ("UNIX", "DGRAM"),
            ("NETLINK", "RAW"),
        ]
    ),
    "call('io_uring_setup', 1, space)",
    "open(f'{outside}/file').read()",
    "os.listdir(outside)",
    "os.listdir(os.path.expanduser('~'))",
    "os.listdir('/tmp')",
]
"""Refused in `isolated` only."""

OWN = [
    "resource.prlimit(0, resource.RLIMIT_NOFILE, resource.getrlimit(resource.RLIMIT_NOFILE))",
    "resource.setrlimit(resource.RLIMIT_CORE, (0, 0))",
    "os.sched_setaffinity(0, os.sched_getaffinity(0))",
    "os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))",
    "os.setpriority(os.PRIO_PROCESS, 0, 19)",
    "os.nice(1)",
    "call('ioprio_set', 1, 0, 2 << 13 | 7)",
    "os.kill(os.getpid(), 0)",
    "subprocess.Popen(['sleep', '9']).kill()",
    "open(f'/proc/{os.getpid()}/environ').read()",
    "multiprocessing.Lock()",
    "socket.socketpair()",
]
"""What concerns only the process itself, and its children, which goes on in every sandbox."""

PROBING = """
import ctypes, errno, json, multiprocessing, os, resource, signal, socket, subprocess
names = {names}
locals().update(names)
library, space = ctypes.CDLL(None, use_errno=True), ctypes.create_string_buffer(4096)
vector = (ctypes.c_uint64 * 2)(ctypes.addressof(space), 8)
attributes = ctypes.create_string_buffer((48).to_bytes(4, "little"), 48)

def libc(function):
    ctypes.set_errno(0)
    result = function(library)
    if result < 0:
        raise OSError(ctypes.get_errno(), "")
    return result

def call(number, *arguments):
    number = numbers[number] if isinstance(number, str) else number
    return libc(lambda c: c.syscall(number, *arguments))

results = {{}}
for probe in probes:
    try:
        exec(probe)
        results[probe] = ""
    except OSError as error:
        results[probe] = errno.errorcode.get(error.errno, str(error))
print(json.dumps(results))
"""

REFUSED = {"EPERM", "EACCES", "ENETUNREACH", "EXDEV", "EROFS"}


@dataclass
class World:
    """What the probes are aimed at: a process and shared objects that are not in the sandbox."""

    victim: subprocess.Popen[bytes]
    shm: int
    sem: int
    msg: int
    outside: Path

    def state(self) -> list[Any]:
        """What a probe could have changed."""
        pids = (self.victim.pid, os.getpid())
        return [
            self.victim.poll(),
            *(resource.prlimit(pid, limit) for pid in pids for limit in range(16)),
            *((os.sched_getscheduler(p), os.sched_getaffinity(p)) for p in pids),
            *(os.getpriority(os.PRIO_PROCESS, pid) for pid in pids),
            *(Path(f"/proc/{pid}/oom_score_adj").read_text() for pid in pids),
            Path(f"/proc/{self.victim.pid}/comm").read_text(),
            sorted(path.name for path in self.outside.iterdir()),
            (self.outside / "file").read_text(),
        ]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    libc = ctypes.CDLL(None, use_errno=True)
    outside = tmp_path / "outside"
    (outside / "folder").mkdir(parents=True)
    (outside / "file").write_text("kept")
    pipe = subprocess.PIPE
    victim = subprocess.Popen(["cat"], start_new_session=True, stdin=pipe, stdout=pipe, bufsize=0)
    assert victim.stdin
    assert victim.stdout
    victim.stdin.write(b"\n")
    assert victim.stdout.read(1) == b"\n"  # it is what it is to be: its name no longer changes
    objects = libc.shmget(0, 4096, 0o1600), libc.semget(0, 1, 0o1600), libc.msgget(0, 0o1600)
    assert min(objects) >= 0
    yield World(victim, *objects, outside)
    victim.kill()
    victim.communicate()
    removed = (libc.shmctl(objects[0], 0, None), libc.semctl(objects[1], 0, 0), 0)
    assert removed == (0, 0, 0)
    assert libc.msgctl(objects[2], 0, None) == 0


async def probe(
    workplace: Workplace, mode: Mode, world: World, probes: list[str]
) -> dict[str, str]:
    """Run all probes in one sandboxed process; return each one's error, or nothing if it worked."""
    x86 = platform.machine() == "x86_64"
    names = {
        "victim": world.victim.pid,
        "daemon": os.getpid(),
        "outside": str(world.outside),
        "shm": world.shm,
        "sem": world.sem,
        "msg": world.msg,
        "queue": b"oi-probed",
        "numbers": dict(seccomp._MACHINES[platform.machine()][1]),
        "ptrace": 101 if x86 else 117,
        "process_vm_readv": 310 if x86 else 270,
        "process_vm_writev": 311 if x86 else 271,
        "kcmp": 312 if x86 else 272,
        "x86": x86,
        "probes": probes,
    }
    sandbox = Sandbox(mode=mode, folders=(workplace.cwd,))
    interpreters = Interpreters(replace(workplace, sandbox=sandbox))
    try:
        told = await output(interpreters, PROBING.format(names=repr(names)))
    finally:
        await interpreters.close()
    results: dict[str, str] = json.loads(told.partition("\n")[0])
    return results


@pytest.mark.parametrize("mode", MODES)
async def test_100_attempts_to_touch_what_is_outside_are_refused(
    workplace: Workplace, mode: Mode, world: World
) -> None:
    probes = [*LIMITS, *SCHEDULING, *PRIORITIES, *SHARED, *LOOKING, *FILES]
    probes += SIGNALS if landlock.version() >= landlock._WITH_SCOPES else []
    probes += ISOLATED if mode == "isolated" else []
    assert len(probes) >= 100
    before = world.state()
    results = await probe(workplace, mode, world, probes)
    assert [name for name, error in results.items() if error not in REFUSED] == SCHEDULING
    assert world.state() == before


@pytest.mark.parametrize("mode", MODES)
async def test_what_concerns_the_process_itself_goes_on(
    workplace: Workplace, mode: Mode, world: World
) -> None:
    results = await probe(workplace, mode, world, OWN)
    assert results == dict.fromkeys(OWN, "")
