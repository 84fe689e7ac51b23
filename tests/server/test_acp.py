"""`oi-daemon --acp`, held to the official SDK: it drives the daemon, and checks all that comes."""

import asyncio
import base64
import itertools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import acp
import psutil
import pytest
from acp import schema

from oi_daemon import magic
from oi_daemon.server.acp import commands as acp_commands
from oi_daemon.terminal import magic as terminal_magic
from tests.acp_host import FORMS, Host, hosting, texts
from tests.fakes.openai_server import ThreadedServer, error, reasoning, text
from tests.patience import until
from tests.talk import code

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\nno more").decode()


def outputs(server: ThreadedServer) -> str:
    """What the model was sent last."""
    return str(server.bodies[-1]["messages"])


async def test_a_prompt_is_answered_by_code_that_is_seen_asked_about_and_run(
    server: ThreadedServer, home: Path
) -> None:
    server.enqueue(code("34 / 24"), text("It is ", "1.42."))
    async with hosting(server.url, home) as host:
        result = await host.prompt("What's 34/24?")
        assert result.stop_reason == "end_turn"
        assert result.usage
        assert result.usage.input_tokens == 200
        [asked] = host.asked
        assert asked["toolCall"]["kind"] == "execute"
        assert asked["toolCall"]["rawInput"] == {"language": "python", "code": "34 / 24"}
        assert "```python\n34 / 24\n```" in texts(asked["toolCall"])
        assert [option["kind"] for option in asked["options"]] == [
            *("allow_once", "allow_always", "reject_once")
        ]
        assert host.call["status"] == "completed"
        assert "1.4166666666666667" in host.shown
        assert host.call["rawOutput"]["status"] == "ok"
        assert host.answer == "It is 1.42."


async def test_what_is_declined_is_not_run_and_the_model_learns_of_it(
    server: ThreadedServer, home: Path
) -> None:
    server.enqueue(code("open('ran', 'w')"), text("Then not."))
    async with hosting(server.url, home) as host:
        host.choose = lambda: "skip"
        assert (await host.prompt("Go")).stop_reason == "end_turn"
        assert host.call["status"] == "failed"
        assert host.call["title"].endswith("(not run)")
        assert host.answer == "Then not."
        assert "declined" in outputs(server)
    assert not (home / "ran").exists()


@pytest.mark.parametrize(
    ("choice", "reason"), [("cancelled", "cancelled"), ("what?", "end_turn"), ("edit", "end_turn")]
)
async def test_a_cancelled_or_unknown_answer_is_a_no(
    server: ThreadedServer, home: Path, choice: str, reason: str
) -> None:
    server.enqueue(code("open('ran', 'w')"), text("Then not."))
    async with hosting(server.url, home) as host:
        host.choose = lambda: choice
        assert (await host.prompt("Go")).stop_reason == reason
    assert not (home / "ran").exists()


async def test_a_client_that_cannot_answer_has_said_no(server: ThreadedServer, home: Path) -> None:
    def fail() -> str:
        raise acp.RequestError(-32601, "no such method")

    server.enqueue(code("open('ran', 'w')"))
    async with hosting(server.url, home) as host:
        host.choose = fail
        assert (await host.prompt("Go")).stop_reason == "cancelled"
    assert not (home / "ran").exists()


async def test_a_host_that_shows_only_titles_has_code_and_output_in_words(
    server: ThreadedServer, home: Path
) -> None:
    server.enqueue(code("print(5 * 5)"), text("Done."))
    async with hosting(server.url, home, name="CodeCompanion.nvim") as host:
        seen: list[str] = []

        def choose() -> str:
            seen.append(host.answer)
            return "run"

        host.choose = choose
        await host.prompt("Go")
        assert "```python\nprint(5 * 5)\n```" in seen[0]
        assert "```\n25\n```" in host.answer


async def test_code_is_input_only_when_it_is_complete(server: ThreadedServer, home: Path) -> None:
    server.enqueue(code("print(12345 * 54321)"), text("Done."))
    async with hosting(server.url, home) as host:
        await host.prompt("Go")
        inputs = [update["rawInput"]["code"] for update in host.updates if "rawInput" in update]
        assert set(inputs) == {"print(12345 * 54321)"}


async def test_allow_always_asks_once_and_changes_the_mode(
    server: ThreadedServer, home: Path
) -> None:
    server.enqueue(code("print(1)"), code("print(2)"), text("Done."))
    async with hosting(server.url, home) as host:
        host.choose = lambda: "always"
        await host.prompt("Go")
        assert len(host.asked) == 1
        assert [call["status"] for call in host.calls.values()] == ["completed"] * 2
        assert host.told("current_mode_update")[-1]["currentModeId"] == "auto"
        [mode] = [
            option
            for option in host.told("config_option_update")[-1]["configOptions"]
            if option["id"] == "mode"
        ]
        assert mode["currentValue"] == "auto"


async def test_code_is_edited_in_a_form_and_runs_as_edited(
    server: ThreadedServer, home: Path
) -> None:
    server.enqueue(code("print('theirs')"), text("Done."))
    async with hosting(server.url, home, FORMS) as host:
        host.choose = lambda: "edit"
        host.fill = lambda code: code.replace("theirs", "mine")
        await host.prompt("Go")
        assert [option["optionId"] for option in host.asked[0]["options"]] == [
            *("run", "always", "edit", "skip")
        ]
        assert host.forms[0]["toolCallId"] == host.asked[0]["toolCall"]["toolCallId"]
        assert host.call["rawInput"]["code"] == "print('mine')"
        assert "```\nmine\n```" in host.shown
        assert "theirs" not in outputs(server)


async def test_an_edit_that_is_given_up_is_a_no(server: ThreadedServer, home: Path) -> None:
    server.enqueue(code("open('ran', 'w')"), text("Then not."))
    async with hosting(server.url, home, FORMS) as host:
        host.choose = lambda: "edit"
        await host.prompt("Go")
        assert host.call["status"] == "failed"
    assert not (home / "ran").exists()


async def test_cancel_while_a_block_waits_ends_the_turn_and_runs_nothing(
    server: ThreadedServer, home: Path
) -> None:
    server.enqueue(code("open('ran', 'w')"), text("Again."))
    async with hosting(server.url, home) as host:
        host.choose = lambda: "wait"
        prompt = asyncio.create_task(host.prompt("Go"))
        await host.until(lambda: host.asked)
        await host.agent.cancel(session_id=host.session)
        assert (await prompt).stop_reason == "cancelled"
        host.never.set()
        assert (await host.prompt("Now?")).stop_reason == "end_turn"
    assert not (home / "ran").exists()


async def test_cancel_interrupts_code_that_runs(server: ThreadedServer, home: Path) -> None:
    server.enqueue(code("import time\nprint('begun')\ntime.sleep(1000)"), text("Kept."))
    async with hosting(server.url, home) as host:
        prompt = asyncio.create_task(host.prompt("Go"))
        await host.until(lambda: host.calls and "```\nbegun" in host.shown)
        await host.agent.cancel(session_id=host.session)
        assert (await prompt).stop_reason == "cancelled"
        assert host.call["rawOutput"]["status"] == "interrupted"
        await host.prompt("Is time imported?")


async def test_a_second_prompt_meanwhile_is_refused_and_disturbs_nothing(
    server: ThreadedServer, home: Path
) -> None:
    server.enqueue(code("print(1)"), text("Done."))
    async with hosting(server.url, home) as host:
        host.choose = lambda: "wait"
        prompt = asyncio.create_task(host.prompt("Go"))
        await host.until(lambda: host.asked)
        with pytest.raises(acp.RequestError, match="under way"):
            await host.prompt("And?")
        host.never.set()
        await prompt
        assert host.call["status"] == "failed"


async def test_a_session_is_listed_and_loaded_again_with_all_that_was_shown(
    server: ThreadedServer, home: Path
) -> None:
    picture = f"class P:\n    def _repr_png_(self): return b'{PNG}'\nP()"
    server.enqueue(code(picture), code("1 / 0"), text("Done."))
    async with hosting(server.url, home) as host:
        await host.prompt("Show it")
        session, before = host.session, [*host.calls.values()]
    async with hosting(server.url, home, begin=False) as again:
        [listed] = (await again.agent.list_sessions(cwd=str(home))).sessions
        assert (listed.session_id, listed.title) == (session, "Show it")
        loaded = await again.agent.load_session(cwd=str(home), session_id=session, mcp_servers=[])
        assert loaded.modes.current_mode_id == "ask"
        assert again.told("user_message_chunk")[0]["content"]["text"] == "Show it"
        for first, second in zip(before, again.calls.values(), strict=True):
            assert [first[name] for name in ("title", "status", "content", "rawInput")] == [
                second[name] for name in ("title", "status", "content", "rawInput")
            ]
        assert again.answer == "Done."
        server.enqueue(text("Still here."))
        again.session = session
        await again.prompt("And?")
        assert "Show it" in outputs(server)


async def test_a_session_is_resumed_without_being_shown_closed_and_deleted(
    server: ThreadedServer, home: Path
) -> None:
    server.enqueue(text("Hi."))
    async with hosting(server.url, home) as host:
        await host.prompt("Hello")
        await host.agent.close_session(session_id=host.session)
        with pytest.raises(acp.RequestError, match="no session"):
            await host.prompt("Hello?")
        host.updates.clear()
        await host.agent.resume_session(cwd=str(home), session_id=host.session)
        assert not host.told("user_message_chunk")
        await host.agent._conn.send_request("session/delete", {"sessionId": host.session})
        assert (await host.agent.list_sessions()).sessions == []


async def test_a_session_that_does_not_exist_is_not_found(
    server: ThreadedServer, home: Path
) -> None:
    async with hosting(server.url, home, begin=False) as host:
        for call in (host.agent.load_session, host.agent.resume_session):
            with pytest.raises(acp.RequestError, match="no session") as caught:
                await call(cwd=str(home), session_id="never-was", mcp_servers=[])
            assert caught.value.code == -32002


@pytest.mark.parametrize("cwd", ["relative", "/no/such/folder"])
async def test_a_folder_that_does_not_exist_is_refused(
    server: ThreadedServer, home: Path, cwd: str
) -> None:
    async with hosting(server.url, home, begin=False) as host:
        with pytest.raises(acp.RequestError, match="cwd: there is no folder"):
            await host.agent.new_session(cwd=cwd, mcp_servers=[])


async def test_modes_are_settings(server: ThreadedServer, home: Path) -> None:
    server.enqueue(code("print(open('/etc/hostname').read())"), text("Done."))
    async with hosting(server.url, home) as host:
        await host.agent.set_session_mode(session_id=host.session, mode_id="auto")
        await host.prompt("Go")
        assert not host.asked
        await host.agent.set_session_mode(session_id=host.session, mode_id="sandboxed")
        await host.until(lambda: option(host, "sandbox") == "isolated")
        await host.agent.set_session_mode(session_id=host.session, mode_id="ask")
        await host.until(lambda: option(host, "mode") == "ask")
        assert option(host, "sandbox") == "isolated"
        with pytest.raises(acp.RequestError, match="there is no mode fast"):
            await host.agent.set_session_mode(session_id=host.session, mode_id="fast")


async def test_options_are_settings(server: ThreadedServer, home: Path) -> None:
    server.enqueue(text("Hi."))
    async with hosting(server.url, home) as host:
        await host.until(lambda: len(host.told("config_option_update")))
        changed = await host.agent.set_config_option(
            config_id="model", session_id=host.session, value="gpt-4o-mini"
        )
        assert [each.current_value for each in changed.config_options] == [
            *("ask", "gpt-4o-mini", "none")
        ]
        await host.prompt("Hello")
        assert server.bodies[-1]["model"] == "gpt-4o-mini"
        for name, value in (("colour", "red"), ("sandbox", "sieve")):
            with pytest.raises(acp.RequestError, match=name):
                await host.agent.set_config_option(
                    config_id=name, session_id=host.session, value=value
                )


def option(host: Host, id: str) -> str | None:
    """The value of an option, as it was told last."""
    told = host.told("config_option_update")
    options = told[-1]["configOptions"] if told else []
    return next((each["currentValue"] for each in options if each["id"] == id), None)


@pytest.mark.parametrize("run", [acp_commands.RUN, terminal_magic.RUN])
def test_every_magic_command_is_there(run: Mapping[str, object]) -> None:
    assert run.keys() == magic.COMMANDS.keys()


async def test_magic_commands_are_slash_commands(
    server: ThreadedServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OI_KEEP_FILES", "true")
    server.enqueue(code("price = 5\nopen('a.txt', 'w').write('new\\n')"), text("Done."))
    async with hosting(server.url, home) as host:
        await host.until(lambda: host.told("available_commands_update"))
        [offered] = host.told("available_commands_update")
        assert {"who", "undo", "model"} <= {each["name"] for each in offered["availableCommands"]}
        await host.prompt("Go")

        async def ask(command: str) -> str:
            host.updates.clear()
            assert (await host.prompt(command)).stop_reason == "end_turn"
            return host.answer

        assert "price  int  5" in await ask("/who")
        assert "200 tokens in" in await ask("/budget")
        assert "price = 5" in await ask("/history")
        assert "save_message" in await ask("/help")
        assert "+new" in await ask("/files a.txt")
        assert "a.txt (created)" in await ask("/files")
        assert "a.txt (deleted)" in await ask("/undo files")
        assert "a.txt (created)" in await ask("/redo")
        assert "told nothing" in await ask("/thinking")
        assert "Saved 3 messages" in await ask("/save_message kept.json")
        assert "Removed:" in await ask("%undo")
        assert "Loaded 3 messages" in await ask("/load_message kept.json")
        assert "cannot be read" in await ask("/load_message none.json")
        assert "gpt-4o-mini" in await ask("/model gpt-4o-mini")
        assert "runs without asking" in await ask("/auto_run true")
        assert option(host, "mode") == "auto"
        assert "Debug mode is on" in await ask("/debug true")
        assert "A new conversation" in await ask("/reset")
        assert "Did you mean %who" in await ask("%whom")
        server.enqueue(text("A path."))
        assert await ask("/etc/hosts is what?") == "A path."


async def test_input_is_typed_in_a_form(server: ThreadedServer, home: Path) -> None:
    server.enqueue(code("print('Hello', input('Name? '))"), text("Done."))
    async with hosting(server.url, home, FORMS) as host:
        host.fill = lambda text: "Ada"
        await host.prompt("Go")
        assert host.forms[0]["message"] == "Name?"
        assert "Hello Ada" in host.shown


async def test_without_forms_input_ends_and_the_person_is_told(
    server: ThreadedServer, home: Path
) -> None:
    server.enqueue(code("input('Name? ')"), text("Done."))
    async with hosting(server.url, home) as host:
        await host.prompt("Go")
        assert "EOFError" in host.call["title"]
        assert "asked for input (`Name?`)" in host.answer


async def test_a_password_is_never_asked_for_in_a_form(server: ThreadedServer, home: Path) -> None:
    server.enqueue(code("import getpass; getpass.getpass()"), text("Done."))
    async with hosting(server.url, home, FORMS) as host:
        await host.prompt("Go")
        assert not host.forms
        assert "a password" in host.answer


async def test_pictures_and_pages_are_shown(server: ThreadedServer, home: Path) -> None:
    source = (
        f"class P:\n    def _repr_png_(self): return b'{PNG}'\n"
        "class H:\n    def _repr_html_(self): return '<b>5</b>'\n"
        "display(P(), H())"
    )
    server.enqueue(code(source), text("Done."))
    async with hosting(server.url, home) as host:
        await host.prompt("Go")
        shown = [item["content"] for item in host.call["content"]]
        [picture] = [each for each in shown if each["type"] == "image"]
        assert picture["mimeType"] == "image/png"
        [page] = [each["resource"] for each in shown if each["type"] == "resource"]
        assert (page["text"], page["mimeType"]) == ("<b>5</b>", "text/html")


async def test_a_flood_of_output_is_bounded_and_says_so(server: ThreadedServer, home: Path) -> None:
    server.enqueue(code("for i in range(100_000): print(i)"), text("Done."))
    async with hosting(server.url, home) as host:
        await host.prompt("Go")
        assert "99999" in host.shown
        assert "the beginning of a long output is not shown" in host.shown
        assert max(len(texts(update)) for update in host.updates if "rawInput" in update) < 25_000
        assert len(host.updates) < 1000


async def test_the_line_that_runs_is_told(server: ThreadedServer, home: Path) -> None:
    server.enqueue(code("x = 1\nimport time\ntime.sleep(1000)"), text("Done."))
    async with hosting(server.url, home) as host:
        prompt = asyncio.create_task(host.prompt("Go"))
        await host.until(lambda: host.calls and "line 3" in host.call["title"])
        assert host.call["_meta"]["oi"]["activeLine"] == 3
        await host.agent.cancel(session_id=host.session)
        await prompt
        assert host.call["_meta"]["oi"]["activeLine"] is None


async def test_thinking_and_notices_are_thoughts(server: ThreadedServer, home: Path) -> None:
    server.enqueue(
        error(429, "Slow down").but(headers={"retry-after": "0.1"}),
        reasoning("Hmm, ", "well.") + text("Yes."),
    )
    async with hosting(server.url, home) as host:
        await host.prompt("Go")
        assert host.answer == "Yes."
        assert "Hmm, well." in host.thoughts
        assert host.thoughts.startswith("Rate limited")


async def test_a_models_error_is_readable_and_no_request_for_a_login(
    server: ThreadedServer, home: Path
) -> None:
    server.enqueue(error(401, "Incorrect API key"), text("Now."))
    async with hosting(server.url, home) as host:
        with pytest.raises(acp.RequestError, match="key") as caught:
            await host.prompt("Go")
        assert caught.value.code != -32000
        assert (await host.prompt("Again")).stop_reason == "end_turn"


async def test_too_many_rounds_are_a_reason_to_stop(server: ThreadedServer, home: Path) -> None:
    server.enqueue(code("print(1)"))
    async with hosting(server.url, home, environ={"OI_MAX_ROUNDS": "1"}) as host:
        assert (await host.prompt("Go")).stop_reason == "max_turn_requests"


async def test_files_and_pictures_of_a_prompt_reach_the_model(
    server: ThreadedServer, home: Path
) -> None:
    server.enqueue(text("Seen."))
    linked = acp.resource_link_block("notes", (home / "my notes.txt").as_uri())
    embedded = acp.resource_block(acp.embedded_text_resource("file:///x/a.py", "x = '```'"))
    long = acp.resource_block(acp.embedded_text_resource("file:///x/long.csv", "1,2\n" * 20_000))
    async with hosting(server.url, home) as host:
        await host.prompt("Look at ", linked, embedded, long, acp.image_block(PNG, "image/png"))
        [asked] = [m["content"] for m in server.bodies[-1]["messages"] if m["role"] == "user"]
        assert f"Look at `{home}/my notes.txt`" in asked
        assert "````\nx = '```'\n````" in asked
        saved = [Path(part) for part in asked.split("`") if "oi-attached-" in part]
        assert saved[0].read_text() == "1,2\n" * 20_000
        assert saved[1].read_bytes() == base64.b64decode(PNG)
        assert saved[1].suffix == ".png"
        assert saved[1].parent.stat().st_mode & 0o777 == 0o700
    assert not saved[1].exists()


@pytest.mark.parametrize(
    "part", [acp.audio_block(PNG, "audio/wav"), acp.image_block("no base64!", "image/png")]
)
async def test_what_cannot_be_read_in_a_prompt_is_refused(
    server: ThreadedServer, home: Path, part: Any
) -> None:
    async with hosting(server.url, home) as host:
        with pytest.raises(acp.RequestError, match="prompt: "):
            await host.prompt("Look", part)


async def test_mcp_servers_are_said_to_be_ignored(server: ThreadedServer, home: Path) -> None:
    server.enqueue(text("Hi."), text("Hi."))
    async with hosting(server.url, home, begin=False) as host:
        given = schema.McpServerStdio(name="x", command="/bin/true", args=[], env=[])
        begun = await host.agent.new_session(cwd=str(home), mcp_servers=[given])
        host.session = begun.session_id
        await host.prompt("Hello")
        await host.prompt("Hello")
        assert host.thoughts.count("MCP servers are not used") == 1


@pytest.mark.parametrize("end", ["kill", "close"])
async def test_a_lost_client_is_a_no_and_nothing_is_left(
    server: ThreadedServer, home: Path, end: str
) -> None:
    server.enqueue(code("open('begun', 'w')"), code("open('ran', 'w')"))
    choices = itertools.chain(["run"], itertools.repeat("wait"))
    async with hosting(server.url, home) as host:
        host.choose = lambda: next(choices)
        prompt = asyncio.create_task(host.prompt("Go"))
        await host.until(lambda: len(host.asked) == 2)
        family = [psutil.Process(host.process.pid)]
        family += family[0].children(recursive=True)
        if end == "kill":
            host.process._transport.get_pipe_transport(1).close()
        host.process.stdin.close()
        await host.process.wait()
        await until(lambda: not any(each.is_running() for each in family))
        prompt.cancel()
        await asyncio.gather(prompt, return_exceptions=True)
    assert (home / "begun").exists()
    assert not (home / "ran").exists()


async def test_keys_are_not_told(server: ThreadedServer, home: Path) -> None:
    server.enqueue(code("import os; print(sorted(os.environ))"), text("Done."))
    async with hosting(server.url, home) as host:
        await host.prompt("Go")
        assert "OPENAI_API_KEY" not in host.shown
        assert os.environ.get("OPENAI_API_KEY") is None


async def test_unknown_methods_are_refused(server: ThreadedServer, home: Path) -> None:
    async with hosting(server.url, home, begin=False) as host:
        with pytest.raises(acp.RequestError, match="no such method") as caught:
            await host.agent._conn.send_request("session/fly", {})
        assert caught.value.code == -32601
        with pytest.raises(acp.RequestError, match="sessionId"):
            await host.agent._conn.send_request("session/prompt", {"prompt": []})
        assert await host.agent.authenticate(method_id="none") is not None
