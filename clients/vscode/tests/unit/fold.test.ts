import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Block, type Cells, cellsOf, fold, isAnswered, messagesOf, settle } from "../../src/fold";
import type { BlockResult, Chunk, StoredMessage } from "../../src/protocol";

interface Example {
  readonly name: string;
  readonly chunks: Chunk[];
  /** What comes with each `end_of_execution`. */
  readonly results?: BlockResult[];
  readonly messages: StoredMessage[];
}

const golden = new URL("../../../../docs/examples/folds.json", import.meta.url);
const examples: Example[] = JSON.parse(readFileSync(golden, "utf8"));

function all(chunks: readonly Chunk[], from: Cells = [], results: readonly BlockResult[] = []): Cells {
  const ends = chunks.filter((chunk: Chunk) => "end_of_execution" in chunk) as Chunk[];
  const of = (chunk: Chunk) => results[ends.indexOf(chunk)] ?? null;
  return chunks.reduce((cells, chunk) => fold(cells, { chunk, result: of(chunk) }), from);
}

function lastBlock(cells: Cells): Block {
  const last = cells.at(-1);
  if (last?.kind !== "block") throw new Error("The last cell is no block.");
  return last;
}

describe("a golden stream folds into the messages that the daemon stores", () => {
  test.each(examples)("$name", ({ chunks, messages, results }) => {
    expect(messagesOf(settle(all(chunks, [], results)))).toEqual(messages);
  });
});

describe("stored messages make the cells that they are stored for", () => {
  test.each(examples)("$name", ({ messages }) => {
    expect(messagesOf(cellsOf(messages))).toEqual(messages);
  });
});

test("a block waits under its approval's id, and no longer once it runs", () => {
  const executing = { code: "1", language: "python" };
  const waiting = fold([], { chunk: { executing }, approval: "approval-1" });
  expect(lastBlock(waiting)).toMatchObject({ state: "waiting", approval: "approval-1" });
  const running = fold(waiting, { chunk: { executing: { ...executing, code: "2" } } });
  expect(lastBlock(running)).toMatchObject({ state: "running", code: "2" });
  expect(lastBlock(running).approval).toBeUndefined();
});

test("an approved block runs with its first active line", () => {
  const waiting = fold([], { chunk: { executing: { code: "1", language: "python" } }, approval: "a" });
  expect(lastBlock(all([{ active_line: 1 }], waiting))).toMatchObject({ state: "running", activeLine: 1 });
});

test("the active line goes with null and with the end", () => {
  const running = all([{ executing: { code: "1", language: "python" } }, { active_line: 3 }]);
  expect(lastBlock(running).activeLine).toBe(3);
  expect(lastBlock(all([{ active_line: null }], running)).activeLine).toBeUndefined();
  expect(lastBlock(all([{ end_of_execution: true }], running)).activeLine).toBeUndefined();
});

test("when nothing more comes, what waited was declined and what ran was interrupted", () => {
  const waiting = fold([], { chunk: { executing: { code: "1", language: "python" } }, approval: "a" });
  expect(lastBlock(settle(waiting)).state).toBe("declined");
  expect(lastBlock(settle(all([{ output: "x" }], waiting))).state).toBe("interrupted");
});

test("a declined block is marked, and its message too", () => {
  const waiting = fold([], { chunk: { executing: { code: "1", language: "python" } }, approval: "a" });
  const declined = all([{ declined: { by: "skip" } }], waiting);
  expect(lastBlock(declined).state).toBe("declined");
  expect(messagesOf(declined)).toMatchObject([{ code: "1", status: "declined" }]);
  expect(lastBlock(cellsOf(messagesOf(declined))).state).toBe("declined");
});

test("notices and unknown kinds of chunks change no cell", () => {
  const before = all([{ message: "Yes." }]);
  const others = [
    { notice: { kind: "save", message: "The disk is full." } },
    { telepathy: {} } as unknown as Chunk,
  ];
  expect(all(others, before)).toBe(before);
});

test("thinking is a cell before what it led to, with its seconds, and no message", () => {
  const thinking = fold(all([{ thinking: "A quo" }]), { chunk: { thinking: "tient." } });
  expect(thinking).toMatchObject([{ kind: "thinking", text: "A quotient." }]);
  const [cell, words] = fold(thinking, { chunk: { message: "1.4" } }, Date.now() + 12_000);
  expect(cell).toMatchObject({ kind: "thinking", seconds: expect.closeTo(12, 0) });
  expect(words).toMatchObject({ kind: "words", text: "1.4" });
  expect(messagesOf(settle(all([{ message: "." }], [cell, words] as Cells)))).toEqual([
    { role: "assistant", message: "1.4." },
  ]);
});

test("thinking parts no message that goes on, and is shown after one that has ended", () => {
  const message = all([{ message: "One" }, { thinking: "Hm" }, { message: " two." }]);
  expect(message).toEqual([{ kind: "words", role: "assistant", text: "One two." }]);
  const cells = all([{ thinking: "Let me run it." }, { language: "python" }], message);
  expect(cells.map(({ kind }) => kind)).toEqual(["words", "thinking", "block"]);
});

test("thinking that led to nothing is removed: at the end of the turn, and by a retry", () => {
  const thinking = all([{ thinking: "Hm" }]);
  expect(settle(thinking)).toEqual([]);
  expect(all([{ notice: { kind: "retry", message: "Busy.", seconds: 1 } }], thinking)).toEqual([]);
  expect(isAnswered(thinking)).toBe(false);
});

test("a question of the daemon itself, outside of a block, makes no cell", () => {
  const chunk: Chunk = { input: { prompt: "Go on? ", password: false } };
  const ran = all([{ executing: { code: "1", language: "python" } }, { end_of_execution: true }]);
  expect(all([chunk])).toEqual([]);
  expect(all([chunk], ran)).toEqual(ran);
});

test("words after another turn's words begin a cell of their own", () => {
  const before = all([{ message: "Yes." }]);
  const asked: Cells = [...before, { kind: "words", role: "user", text: "And?" }];
  expect(all([{ message: "No" }, { message: "." }], asked)).toHaveLength(3);
});

test("five thousand tokens: nothing is lost", () => {
  const tokens = Array.from({ length: 5000 }, (_, i) => `${i} `);
  expect(all(tokens.map((message) => ({ message })))).toEqual([
    { kind: "words", role: "assistant", text: tokens.join("") },
  ]);
});

test("each display stands in the place of its plain text", () => {
  const display = { "image/png": "iVBORw0KGgo=", "text/plain": "<Figure>" };
  const message: StoredMessage = {
    role: "assistant",
    language: "python",
    code: "plot()",
    output: "before\n<Figure>\nafter",
    displays: [display],
  };
  expect(lastBlock(cellsOf([message])).outputs).toEqual([
    { text: "before\n" },
    { display },
    { text: "after" },
  ]);
});
