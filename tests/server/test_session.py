"""One client's session over real stdio: lifecycle, dispatch, exactly one answer a request."""

import json
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_lsp
from lsprotocol import types

from oi_daemon import __version__
from oi_daemon.protocol.framing import Framing
from tests.wire_client import COMMAND, FAKE, INSTALLED, WireClient, request


@pytest.fixture(params=Framing, ids=lambda framing: framing.value, scope="module")
def framing(request: pytest.FixtureRequest) -> Framing:
    found: Framing = request.param
    return found


@pytest.fixture
def client(framing: Framing) -> Iterator[WireClient]:
    """A client of the fake daemon, in each framing."""
    with WireClient(FAKE, framing) as it:
        yield it


@pytest.fixture(scope="module")
def patient(framing: Framing) -> Iterator[WireClient]:
    """A client of one fake daemon for many tests, which leave it as it was."""
    with WireClient(FAKE, framing) as it:
        yield it


@pytest.fixture
def script() -> Iterator[WireClient]:
    """A client of the fake daemon that writes lines."""
    with WireClient(FAKE) as it:
        yield it


@pytest.fixture
def editor() -> Iterator[WireClient]:
    """A client of the fake daemon that writes headers, as editors do."""
    with WireClient(FAKE, Framing.HEADERS) as it:
        yield it


def code_of(answer: dict[str, Any]) -> int:
    code: int = answer["error"]["code"]
    return code


# Lifecycle


def test_an_editors_session(client: WireClient) -> None:
    answer = client.result("initialize", {"processId": os.getpid(), "capabilities": {}})
    assert answer["serverInfo"] == {"name": "oi-daemon", "version": __version__}
    oi = answer["capabilities"]["experimental"]["oi"]
    assert oi == {"protocol": 1, "languages": ["python", "shell"]}
    client.notify("initialized", {})
    assert client.result("oi/status")["calls"] == ["start", "preload"]
    assert client.result("shutdown") is None
    client.notify("exit")
    assert client.exit_code() == 0


def test_a_script_needs_no_ceremony(client: WireClient) -> None:
    assert client.result("oi/settings/get") == {"model": "gpt-4"}
    assert client.result("oi/status")["calls"] == ["start", "preload"]


def test_a_script_does_not_wait_for_the_language_server(script: WireClient) -> None:
    script.result("oi/status")
    assert script.result("oi/status")["has_pygls"] is False
    script.result("initialize")
    assert script.result("oi/status")["has_pygls"] is True


def test_exit_without_shutdown_is_a_failure(client: WireClient) -> None:
    client.result("initialize", {})
    client.notify("exit")
    assert client.exit_code() == 1


def test_requests_before_initialize(client: WireClient) -> None:
    """LSP's own say so, those of nobody are unknown."""
    assert code_of(client.call("shutdown")) == -32002
    assert code_of(client.call("textDocument/hover", {})) == -32002
    assert code_of(client.call("nobody/knows")) == -32601


def test_initialize_comes_once(client: WireClient) -> None:
    client.result("initialize", {})
    assert code_of(client.call("initialize", {})) == -32600
    assert client.result("oi/status")["calls"].count("start") == 1


def test_after_shutdown_nothing_but_exit_is_taken(client: WireClient) -> None:
    client.result("initialize", {})
    client.result("shutdown")
    for method in ("oi/status", "shutdown", "initialize", "nobody/knows"):
        assert code_of(client.call(method)) == -32600
    client.notify("exit")
    assert client.exit_code() == 0


def test_messages_sent_at_once_take_effect_in_their_order(client: WireClient) -> None:
    """Also where `initialize` takes its time."""
    options = {"settings": {"model": "first"}}
    calls = [
        ("initialize", {"initializationOptions": options}),
        ("oi/settings/get", None),
        ("oi/settings/set", {"settings": {"model": "second"}}),
        ("oi/settings/get", None),
        ("shutdown", None),
        ("oi/settings/get", None),
    ]
    frames = [client.frame(request(number, *call)) for number, call in enumerate(calls)]
    client.write(b"".join(frames))
    assert client.answer(1)["result"] == {"model": "first"}
    assert client.answer(3)["result"] == {"model": "second"}
    assert code_of(client.answer(5)) == -32600


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({"initializationOptions": {"settings": {"modle": "x"}}}, "modle"),
        ({"initializationOptions": {"settings": {"max_output": "x"}}}, "max_output"),
        ({"initializationOptions": {"settings": []}}, "initializationOptions.settings"),
        ({"processId": "x"}, "processId"),
    ],
)
def test_bad_initialize_params_are_refused_and_can_be_mended(
    editor: WireClient, params: dict[str, Any], named: str
) -> None:
    answer = editor.call("initialize", params)
    assert code_of(answer) == -32602
    assert named in answer["error"]["message"]
    editor.result("initialize", {})


def test_a_newer_clients_unknown_values_are_no_obstacle(editor: WireClient) -> None:
    editor.result(
        "initialize",
        {
            "processId": None,
            "rootUri": 5,
            "trace": "unheard-of",
            "workspaceFolders": [{}],
            "capabilities": {"general": {"positionEncodings": [7]}, "textDocument": 3},
        },
    )


@pytest_lsp.fixture(  # type: ignore[untyped-decorator]
    config=pytest_lsp.ClientServerConfig(server_command=[*INSTALLED])
)
async def language_client(lsp_client: pytest_lsp.LanguageClient) -> AsyncIterator[None]:
    await lsp_client.initialize_session(
        types.InitializeParams(types.ClientCapabilities(), process_id=os.getpid())
    )
    yield
    await lsp_client.shutdown_session()


async def test_the_installed_command_is_a_language_server(
    language_client: pytest_lsp.LanguageClient,
) -> None:
    """As somebody else's client sees it."""
    ask: Any = language_client.protocol.send_request_async
    answer = await ask("oi/languages", {})
    assert "python" in {language.name for language in answer.languages}


# One answer a request


@pytest.mark.parametrize(
    ("message", "code", "request_id"),
    [
        (b"{", -32700, None),
        (b"no json", -32700, None),
        (b"[]", -32600, None),
        (b'[{"jsonrpc":"2.0","id":1,"method":"oi/status"}]', -32600, None),
        (b"1", -32600, None),
        ({"id": 5, "method": "oi/status"}, -32600, 5),
        ({"jsonrpc": "1.0", "id": "x", "method": "oi/status"}, -32600, "x"),
        ({"jsonrpc": "2.0", "id": 5}, -32600, 5),
        ({"jsonrpc": "2.0"}, -32600, None),
        ({"jsonrpc": "2.0", "id": 5, "method": 7}, -32600, 5),
        ({"jsonrpc": "2.0", "method": 7}, -32600, None),
        (request(None, "oi/status"), -32600, None),
        (request(1.5, "oi/status"), -32600, None),
        (request(True, "oi/status"), -32600, None),
        (request([1], "oi/status"), -32600, None),
        (request({}, "oi/status"), -32600, None),
        (request(5, "oi/unknown"), -32601, 5),
        (request(5, ""), -32601, 5),
        (request("", "oi/"), -32601, ""),
        (request(5, "oi/chat"), -32602, 5),
        (request(5, "oi/chat", [1]), -32602, 5),
        (request(5, "oi/chat", "x"), -32602, 5),
    ],
)
def test_what_is_no_request_gets_one_answer(
    patient: WireClient, message: Any, code: int, request_id: int | str | None
) -> None:
    patient.write(patient.frame({"jsonrpc": "2.0", "id": "before", "method": "oi/settings/get"}))
    patient.write(patient.frame(message))
    patient.write(patient.frame({"jsonrpc": "2.0", "id": "after", "method": "oi/settings/get"}))
    answers = [patient.read_one() for _ in range(3)]
    assert [answer["id"] for answer in answers] == ["before", request_id, "after"]
    assert code_of(answers[1]) == code
    assert answers[1]["error"]["message"]


def test_bad_params_are_told_with_the_fields_name(script: WireClient) -> None:
    error = script.call("oi/execute", {"language": "python", "code": 5})["error"]
    assert error["code"] == -32602
    assert error["message"].startswith("code:")
    assert error["data"] == {"kind": "invalid"}


def test_notifications_and_answers_get_no_answer(client: WireClient) -> None:
    for message in (
        {"jsonrpc": "2.0", "method": "oi/unknown"},
        {"jsonrpc": "2.0", "method": "oi/history/undo"},
        {"jsonrpc": "2.0", "method": "oi/chat", "params": 5},
        {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": []}},
        {"jsonrpc": "2.0", "method": "$/cancelRequest"},
        {"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {"textDocument": 5}},
        {"jsonrpc": "2.0", "id": 77, "result": {}},
        {"jsonrpc": "2.0", "id": 77, "error": {"code": 1, "message": "x"}},
    ):
        client.write(client.frame(message))
    client.result("oi/status")
    client.close_input()
    assert client.rest() == []
    assert client.exit_code() == 0


def test_a_request_sent_as_a_notification_takes_effect(script: WireClient) -> None:
    script.notify("oi/settings/set", {"settings": {"model": "quiet"}})
    assert script.result("oi/settings/get") == {"model": "quiet"}


def test_params_arrive_as_they_were_sent(client: WireClient) -> None:
    """Names that pygls has a use for, and that are no identifiers."""
    strange: dict[str, Any] = {
        "jsonrpc": "1.0",
        "$schema": "x",
        "class": {"type_name": 1},
        "a b": [],
        "": None,
        "big": 2**70,
        "é\u0000\n\U0001f600": 1.5,
        "id": {"method": "exit"},
    }
    sent = {"messages": [strange], "jsonrpc": "9", "class": 1}
    assert client.result("oi/history/set", sent) == {"messages": [strange]}


def test_ids_that_look_alike_are_different(script: WireClient) -> None:
    script.write(script.frame(request(1, "oi/input", {"input": "a", "value": ""})))
    script.write(script.frame(request("1", "oi/settings/get")))
    assert script.read_one()["id"] == "1"


def test_an_id_that_is_still_in_use_is_refused(script: WireClient) -> None:
    """And the first request goes on."""
    script.write(script.frame(request("x", "oi/chat", {"message": "Hi"})))
    script.write(script.frame(request("x", "oi/settings/get")))
    assert code_of(script.answer("x")) == -32600
    script.result("oi/interrupt")
    assert script.answer("x")["result"] == {"status": "interrupted"}
    script.write(script.frame(request("x", "oi/settings/get")))
    assert script.answer("x")["result"] == {"model": "gpt-4"}


def test_errors_for_people_keep_their_kind(script: WireClient) -> None:
    script.send("oi/chat", {"message": "Hi"})
    error = script.call("oi/chat", {"message": "Hi"})["error"]
    assert (error["code"], error["data"]) == (-32010, {"kind": "busy"})


def test_an_unexpected_error_is_answered_in_words(script: WireClient, home: Path) -> None:
    """The details are in the log, the key in neither."""
    error = script.call("oi/history/undo")["error"]
    assert error["code"] == -32603
    assert "Traceback" not in error["message"]
    log = Path(next(word for word in error["message"].split() if word.startswith("/")))
    assert "RuntimeError" in log.read_text()
    assert "sk-abc" not in log.read_text() + json.dumps(error)
    assert log.stat().st_mode & 0o077 == 0
    script.close_input()
    script.exit_code()
    assert "sk-abc" not in script.stderr()


def test_stray_prints_never_reach_stdout(script: WireClient) -> None:
    assert script.result("oi/history/reset") == {"stdin": ""}
    script.close_input()
    assert script.rest() == []
    script.exit_code()
    assert script.stderr() == "a stray print\na stray write\na stray child\n"


# Side by side


def test_quick_requests_never_wait_behind_slow_ones(client: WireClient) -> None:
    turn = client.send("oi/chat", {"message": "Hi"})
    assert client.result("oi/status")["requests"] == 2
    assert client.result("oi/interrupt") == {"interrupted": True}
    assert client.answer(turn)["result"] == {"status": "interrupted"}


def test_a_cancelled_turn_still_gives_its_result(client: WireClient) -> None:
    turn = client.send("oi/chat", {"message": "Hi"})
    client.notify("$/cancelRequest", {"id": turn})
    assert client.answer(turn)["result"] == {"status": "interrupted"}


def test_another_request_that_is_cancelled_says_so(client: WireClient) -> None:
    waiting = client.send("oi/input", {"input": "a", "value": None})
    client.notify("$/cancelRequest", {"id": waiting})
    assert code_of(client.answer(waiting)) == -32800


def test_cancelling_what_is_answered_does_nothing(script: WireClient) -> None:
    script.result("oi/status")
    script.notify("$/cancelRequest", {"id": 1})
    script.result("oi/status")


def test_all_chunks_come_before_their_result(client: WireClient) -> None:
    turn = client.send("oi/execute", {"language": "python", "code": "500"})
    last_seq = client.answer(turn)["result"]["last_seq"]
    seqs = [notification["params"]["seq"] for notification in client.notifications]
    assert seqs == list(range(1, last_seq + 1))


@pytest.mark.parametrize("language", ["", "python"])
def test_a_client_that_does_not_read_costs_bounded_memory(
    client: WireClient, language: str
) -> None:
    """Nothing is lost, and it can still ask and interrupt."""
    client.result("oi/status")
    process = psutil.Process(client.process.pid)
    before = process.memory_info().rss
    turn = client.send("oi/execute", {"language": language, "code": "60000"})
    asked = client.send("oi/status")
    result = client.answer(turn)["result"]
    assert client.answer(asked)["result"]["outgoing_bytes"] < 1_200_000
    assert result["status"] == "done"
    output = "".join(n["params"]["chunk"].get("output", "") for n in client.notifications)
    assert output == "".join(f"{number}\n" for number in range(60_000))
    assert process.memory_info().rss - before < 20 * 1024 * 1024


def test_an_interrupt_is_heard_while_nothing_is_read(client: WireClient) -> None:
    turn = client.send("oi/execute", {"language": "python", "code": "10000000"})
    client.send("oi/interrupt")
    assert client.answer(turn)["result"]["status"] == "interrupted"


# The end


def test_the_end_of_input_finishes_what_was_accepted(framing: Framing) -> None:
    with WireClient(FAKE, framing) as client:
        client.send("oi/execute", {"language": "python", "code": "2000"})
        client.close_input()
        *chunks, answer = client.rest()
        assert answer["result"]["status"] == "done"
        assert len(chunks) == answer["result"]["last_seq"]
        assert client.exit_code() == 0


def test_the_end_of_input_declines_what_waits_for_a_person(client: WireClient) -> None:
    turn = client.send("oi/chat", {"message": "Hi"})
    client.close_input()
    assert client.answer(turn)["result"] == {"status": "interrupted"}
    assert client.exit_code() == 0


def test_a_last_line_without_an_end_is_a_request() -> None:
    done = subprocess.run(
        FAKE, input=b'{"jsonrpc":"2.0","id":1,"method":"oi/settings/get"}', capture_output=True
    )
    assert json.loads(done.stdout)["result"] == {"model": "gpt-4"}
    assert done.returncode == 0


def test_no_input_at_all_is_fine() -> None:
    done = subprocess.run(FAKE, stdin=subprocess.DEVNULL, capture_output=True)
    assert (done.returncode, done.stdout) == (0, b"")


@pytest.mark.parametrize(("shut_down", "code"), [(True, 0), (False, 1)])
def test_an_editor_that_just_leaves(editor: WireClient, shut_down: bool, code: int) -> None:
    """Without `shutdown` that is a failure, as without `exit`."""
    editor.result("initialize", {})
    if shut_down:
        editor.result("shutdown")
    editor.close_input()
    assert editor.exit_code() == code


def test_files_are_as_good_as_pipes(tmp_path: Path) -> None:
    calls = [request(number, "oi/settings/get") for number in range(3000)]
    (tmp_path / "in").write_text("\n".join(map(json.dumps, calls)))
    with (tmp_path / "in").open("rb") as stdin, (tmp_path / "out").open("wb") as stdout:
        assert subprocess.run(FAKE, stdin=stdin, stdout=stdout, check=False).returncode == 0
    answers = [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]
    assert [answer["id"] for answer in answers] == list(range(3000))


_TURN = {"message": "Hi", "language": "python", "code": "10000000"}


@pytest.mark.parametrize("busy", [True, False])
def test_a_client_that_stops_reading_for_good_ends_the_daemon(
    client: WireClient, busy: bool
) -> None:
    """Even while there is nothing to write."""
    client.result("oi/status")
    client.send("oi/execute" if busy else "oi/chat", _TURN)
    assert client.process.stdout
    client.process.stdout.close()
    assert client.exit_code() == 1
    assert "Traceback" not in client.stderr()


def test_the_death_of_the_client_process_ends_the_daemon(editor: WireClient) -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as parent:
        editor.result("initialize", {"processId": parent.pid, "capabilities": {}})
        turn = editor.send("oi/chat", {"message": "Hi"})
        editor.result("oi/status")
        parent.kill()
    assert editor.exit_code() == 1
    assert editor.answer(turn)["result"] == {"status": "interrupted"}


def test_a_client_process_that_is_not_alive_here_is_not_watched(editor: WireClient) -> None:
    """As of a client in a container of its own, or behind `ssh`."""
    dead = subprocess.Popen(["true"])
    dead.wait()
    editor.result("initialize", {"processId": dead.pid, "capabilities": {}})
    [problem] = editor.result("oi/status")["problems"]
    assert f"there is no process {dead.pid}" in problem


@pytest.mark.parametrize("process_id", [None, 0, -1, 2**40])
def test_no_client_process_to_watch(editor: WireClient, process_id: int | None) -> None:
    editor.result("initialize", {"processId": process_id})
    problems = editor.result("oi/status")["problems"]
    assert len(problems) == (0 if process_id is None else 1)
    editor.close_input()
    assert editor.rest() == []


def test_code_runs_in_the_first_workspace_folder_that_exists(
    editor: WireClient, tmp_path: Path
) -> None:
    there = tmp_path / "a folder"
    there.mkdir()
    uris = [(tmp_path / "gone").as_uri(), there.as_uri(), tmp_path.as_uri()]
    folders = [{"uri": uri, "name": uri} for uri in uris]
    editor.result("initialize", {"workspaceFolders": folders, "rootUri": tmp_path.as_uri()})
    assert editor.result("oi/status")["cwd"] == str(there)


def test_without_workspace_folders_code_runs_in_the_root(
    editor: WireClient, tmp_path: Path
) -> None:
    editor.result("initialize", {"workspaceFolders": None, "rootUri": tmp_path.as_uri()})
    assert editor.result("oi/status")["cwd"] == str(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_it_in_order(client: WireClient, number: signal.Signals) -> None:
    turn = client.send("oi/chat", {"message": "Hi"})
    client.result("oi/status")
    client.process.send_signal(number)
    assert client.answer(turn)["result"] == {"status": "interrupted"}
    assert client.exit_code() == 128 + number
    assert client.stderr() == ""


def test_a_folder_that_is_gone_is_no_obstacle(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    command = 'cd "$0"; rmdir "$0"; exec "$@"'
    done = subprocess.run(
        ["sh", "-c", command, str(gone), COMMAND, "--stdio"],
        input=json.dumps(request(1, "initialize", {})).encode(),
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout)["result"], done.stderr


def test_without_a_log_folder_it_works_all_the_same(home: Path) -> None:
    (home / ".local").write_text("no folder")
    with WireClient(FAKE) as client:
        client.result("oi/status")
        client.close_input()
        assert client.exit_code() == 0
