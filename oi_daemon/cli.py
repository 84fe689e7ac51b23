"""The commands `oi-daemon` and `interpreter`."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from functools import partial
from typing import TYPE_CHECKING, NoReturn

from oi_daemon import __version__

if TYPE_CHECKING:
    from collections.abc import Callable

    from oi_daemon.server.outbox import Outbox
    from oi_daemon.server.session import Service

_DESCRIPTION = """\
Open Interpreter as a language server. Editors and programs start it and talk JSON-RPC over its
standard input and output; for a conversation in this terminal, run `interpreter`."""

_EXAMPLE = """\
example, for a shell script (one JSON object a line):
  echo '{"jsonrpc":"2.0","id":1,"method":"oi/execute",
    "params":{"language":"python","code":"2+2"}}' | tr -d '\\n' | oi-daemon --stdio"""


def daemon() -> NoReturn:
    """`oi-daemon`."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback before the server listens to it
    parser = _parser()
    arguments = parser.parse_args()
    if arguments.download_model:
        sys.exit(_download_model())
    if not arguments.stdio:
        parser.error("say --stdio to serve a client, or run `interpreter` to talk in a terminal")
    from oi_daemon.server.methods import Methods

    run(partial(Methods, debug=arguments.debug), debug=arguments.debug)


def terminal() -> NoReturn:
    """`interpreter`."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback before there is anything to stop
    from oi_daemon.program import main

    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main())


def run(make: "Callable[[Outbox], Service]", *, debug: bool = False) -> NoReturn:
    """Serve the client at stdin and stdout, and end the process."""
    from oi_daemon.logs import configure
    from oi_daemon.server.descriptors import claim
    from oi_daemon.server.session import serve

    stdin, stdout = claim()
    configure(debug=debug)
    code = asyncio.Runner().run(serve(make, stdin, stdout))
    logging.shutdown()
    os._exit(code)  # a library's thread in a slow import or name resolution is not waited for


def _download_model() -> int:
    from oi_daemon.errors import OIError
    from oi_daemon.model.local.download import download_model

    try:
        download_model(sys.stderr)
    except OIError as error:
        sys.stderr.write(f"oi-daemon: {error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="oi-daemon",
        description=_DESCRIPTION,
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--stdio", action="store_true", help="serve one client, until it is gone")
    parser.add_argument("--debug", action="store_true", help="log every step to stderr")
    parser.add_argument(
        "--download-model",
        action="store_true",
        help="get the language model that runs on this machine (1.1 GB), and exit",
    )
    parser.add_argument("--version", action="version", version=f"oi-daemon {__version__}")
    return parser
