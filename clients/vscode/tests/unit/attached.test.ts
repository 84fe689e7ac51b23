import { expect, test } from "vitest";
import { seen } from "../../src/attached";
import type { Attached } from "../../src/protocol";

const words = { role: "user", message: "Count." } as const;
const block = [{ language: "python" }, { code: "count()" }];

function attached(state: Attached["state"], turn?: Partial<NonNullable<Attached["turn"]>>): Attached {
  const settings = {} as Attached["settings"];
  const added = turn && { messages: [], finished: 0, unfinished: [], ...turn };
  return {
    conversation: "c",
    messages: [words],
    state,
    last_seq: 1,
    settings,
    ...(added && { turn: added }),
  };
}

test("between turns, all is settled", () => {
  const { settled, open, isBusy } = seen(attached("idle"));
  expect([settled.length, open, isBusy]).toEqual([1, [], false]);
});

test("messages of the turn that can change no more are settled", () => {
  const messages = [{ role: "assistant", message: "Well." } as const];
  expect(seen(attached("thinking", { messages, finished: 1 })).settled).toHaveLength(2);
});

test("a block that runs runs here, whether it has written something or not", () => {
  for (const written of [[], [{ output: "1\n" }]]) {
    const { open } = seen(attached("running", { unfinished: [...block, ...written] }));
    expect(open).toMatchObject([{ kind: "block", code: "count()", state: "running" }]);
  }
});

test("the line that runs is marked at once", () => {
  const { open } = seen(attached("running", { unfinished: block, active_line: 3 }));
  expect(open).toMatchObject([{ state: "running", activeLine: 3 }]);
});

test("a block that waits can be answered by its id", () => {
  const approval = { id: "a1", code: "count()", language: "python" };
  const { open } = seen(attached("approval", { unfinished: block, approval }));
  expect(open).toMatchObject([{ state: "waiting", approval: "a1", code: "count()" }]);
});

test("a block that the model still writes neither runs nor waits", () => {
  expect(seen(attached("thinking", { unfinished: block })).open).toMatchObject([{ state: "writing" }]);
});

test("a block that has written something and does not run any more has ended", () => {
  const unfinished = [...block, { output: "1\n" }];
  expect(seen(attached("thinking", { unfinished })).open).toMatchObject([{ state: "ended" }]);
});
