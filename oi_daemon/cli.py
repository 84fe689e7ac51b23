"""The entry points of the commands `oi-daemon` and `interpreter`.

What is not needed by all of them is imported where it is used: a door to the shared daemon is
through before `argparse` alone would be imported.
"""

import os
import sys

from oi_daemon import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Coroutine
    from typing import Any, NoReturn

    from oi_daemon.server.methods import Methods
    from oi_daemon.server.outbox import Outbox
    from oi_daemon.server.session import Service

_DESCRIPTION = """\
Open Interpreter as a language server. Editors and programs start it and send JSON-RPC over its
standard input and output. For a conversation in this terminal, run `interpreter`."""

_EXAMPLE = """\
example for a shell script, with one JSON object per line:
  echo '{"jsonrpc":"2.0","id":1,"method":"oi/execute",
    "params":{"language":"python","code":"2+2"}}' | tr -d '\\n' | oi-daemon --stdio"""


def daemon() -> "NoReturn":
    """Run the command `oi-daemon`."""
    _end_at_interrupt()
    _pass_quickly(sys.argv[1:])
    parser = _parser()
    arguments = parser.parse_args()
    if arguments.download_model:
        sys.exit(_download_model())
    if arguments.shared in ("status", "stop"):
        sys.exit(_control(arguments.shared, yes=arguments.yes))
    if not (arguments.stdio or arguments.acp or arguments.mcp):
        parser.error("use --stdio to serve a client, or run `interpreter` for a conversation here")
    if arguments.host is not None:
        if not arguments.stdio or arguments.private or arguments.acp or arguments.mcp:
            parser.error("--host goes with --stdio: the daemon there is a shared one")
        sys.exit(_host(arguments.host))
    _pass(arguments)
    _serve(arguments)


def _pass_quickly(arguments: "list[str]") -> None:
    """Lead to a shared daemon, if that is plainly what is asked for, and end this process."""
    if sorted(arguments) == ["--shared", "--stdio"]:
        sys.exit(_door("stdio"))
    if arguments in (["--acp"], ["--mcp"]):
        sys.exit(_door(arguments[0][2:]))


def _pass(arguments: "argparse.Namespace") -> None:
    """Lead to the shared daemon and end this process, unless a private one is asked for."""
    if (arguments.acp or arguments.mcp or arguments.shared) and not arguments.private:
        kind = "acp" if arguments.acp else "mcp" if arguments.mcp else "stdio"
        sys.exit(_door(kind, *(["debug"] if arguments.debug else [])))


def _serve(arguments: "argparse.Namespace") -> "NoReturn":
    """Be a daemon for the client at stdin and stdout."""
    from functools import partial

    from oi_daemon import keys

    keys.take()

    def make(sink: "Any") -> "Methods":
        from oi_daemon.server.methods import Methods  # after the answer to `initialize`

        return Methods(sink, debug=arguments.debug)

    if arguments.acp:
        from oi_daemon.server.acp.serve import serve_acp

        run_server(partial(serve_acp, make), debug=arguments.debug)
    if arguments.mcp:
        from oi_daemon.server.mcp.serve import serve_mcp

        run_server(partial(serve_mcp, make), debug=arguments.debug)
    run(make, _language_names, debug=arguments.debug)


def terminal() -> "NoReturn":
    """Run the command `interpreter`."""
    import signal

    _end_at_interrupt()  # until there is a turn to stop
    from oi_daemon.terminal.standard_files import open_closed

    has_output = open_closed()
    from oi_daemon import keys

    keys.conceal()
    keys.close_memory()
    from oi_daemon.program import main

    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main(has_output=has_output))


def shared(listener: int, name: str) -> "NoReturn":
    """Be the shared daemon; a door starts it.

    Args:
        listener: descriptor of the socket that listens.
        name: the socket's name in the current folder.
    """
    from oi_daemon.server.hub import serve_doors

    serve_doors(listener, name)


def run(
    make: "Callable[[Outbox], Service]",
    language_names: "Callable[[], list[str]]",
    *,
    debug: bool = False,
) -> "NoReturn":
    """Serve the client at stdin and stdout, then end the process. See `ClientSession`."""
    from functools import partial

    from oi_daemon.server.session import serve

    run_server(partial(serve, make, language_names), debug=debug)


def run_server(
    serve: "Callable[[int, int], Coroutine[Any, Any, int]]", *, debug: bool = False
) -> "NoReturn":
    """Serve the client at stdin and stdout in this way, then end the process.

    Args:
        serve: is given the descriptors; returns the exit code.
    """
    import asyncio
    import logging

    from oi_daemon.logs import configure
    from oi_daemon.server.descriptors import claim

    stdin, stdout = claim()
    configure(debug=debug)
    code = asyncio.Runner().run(serve(stdin, stdout))
    logging.shutdown()
    os._exit(code)  # a library's thread in a slow import or name resolution is not waited for


def _language_names() -> list[str]:
    from oi_daemon.execution.languages.registry import language_names

    return language_names()


def _end_at_interrupt() -> None:
    """Let an interrupt end the process without a traceback."""
    import _signal  # type: ignore[import-not-found]  # `signal` takes some milliseconds more

    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)


def _door(kind: str, *options: str) -> int:
    from oi_daemon.shared.door import pass_through

    if "OI_CLIENT_VERSION" in os.environ:
        from oi_daemon.shared.host import warn_of_version

        warn_of_version(__version__)
    return pass_through(kind, __version__, options)


def _host(host: str) -> int:
    from oi_daemon.errors import InvalidError
    from oi_daemon.settings import Settings, change
    from oi_daemon.shared.host import reach

    try:
        change(Settings(), {"host": host})
    except InvalidError as error:
        sys.stderr.write(f"oi-daemon: {str(error).replace('settings.host', '--host')}\n")
        return 2
    return reach(host, __version__)


def _control(command: str, *, yes: bool) -> int:
    from oi_daemon.shared import control

    return control.stop(yes=yes) if command == "stop" else control.status()


def _download_model() -> int:
    from oi_daemon.errors import OIError
    from oi_daemon.model.local.download import download_model

    try:
        download_model(sys.stderr)
    except OIError as error:
        sys.stderr.write(f"oi-daemon: {error}\n")
        return 1
    return 0


def _parser() -> "argparse.ArgumentParser":
    import argparse

    parser = argparse.ArgumentParser(
        prog="oi-daemon",
        description=_DESCRIPTION,
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    parser.add_argument("-h", "--help", action="help", help="Show this help")
    parser.add_argument(
        "--stdio", action="store_true", help="Serve one client over standard input and output"
    )
    parser.add_argument(
        "--acp",
        action="store_true",
        help="Serve one client that speaks the Agent Client Protocol, over standard input and"
        " output: Zed, JetBrains, CodeCompanion, JupyterLab, acpx, ...; by the shared daemon,"
        " unless --private is given",
    )
    parser.add_argument(
        "--mcp",
        action="store_true",
        help="Serve one host of the Model Context Protocol, over standard input and output:"
        " Claude Code, Codex, opencode, Cursor, VS Code, ...; by the shared daemon, unless"
        " --private is given",
    )
    parser.add_argument(
        "--shared",
        nargs="?",
        const="use",
        choices=["use", "status", "stop"],
        metavar="status|stop",
        help="With --stdio: by the daemon that all clients of yours share, which outlives them;"
        " it is started at need. Alone: show or stop the shared daemons",
    )
    parser.add_argument(
        "--private", action="store_true", help="By a daemon of the client's own, also with --shared"
    )
    parser.add_argument(
        "--host",
        metavar="HOST",
        help="With --stdio: by the shared daemon on another machine, which ssh reaches under this"
        " name, or in a container: docker:NAME, podman:NAME, kubectl:NAME",
    )
    parser.add_argument("-y", "--yes", action="store_true", help="Stop without asking")
    parser.add_argument("--debug", action="store_true", help="Log every step to standard error")
    parser.add_argument(
        "--download-model",
        action="store_true",
        help="Download the language model that runs on this machine (1.1 GB)",
    )
    parser.add_argument(
        "--version",
        action="version",
        version=f"oi-daemon {__version__}",
        help="Show the version",
    )
    return parser
