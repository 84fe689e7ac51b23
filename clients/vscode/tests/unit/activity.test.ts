import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Activity, thought } from "../../src/activity";
import type { Chunk, ConversationState } from "../../src/protocol";

interface Example {
  readonly name: string;
  readonly model: string;
  readonly steps: {
    readonly begin?: true;
    readonly after?: number;
    readonly chunk?: Chunk;
    readonly state?: ConversationState;
    readonly words: string;
  }[];
}

const golden = new URL("../../../../docs/examples/activities.json", import.meta.url);
const examples: Example[] = JSON.parse(readFileSync(golden, "utf8"));

function format(text: string, values: Record<string, string>): string {
  return text.replaceAll(/{(\w+)}/g, (_, name: string) => values[name] ?? "");
}

test.each(examples)("golden: $name", ({ model, steps }) => {
  let now = 100;
  const activity = new Activity(format, () => now);
  for (const { begin, after = 0, chunk, state, words } of steps) {
    now += after;
    if (begin) activity.enter("thinking");
    if (chunk && state) activity.add({ chunk, state });
    expect(activity.words(model)).toBe(words);
  }
});

test("before a turn the conversation is ready", () => {
  expect(new Activity(format).words("")).toBe("ready");
});

test("no thinking takes less than a second", () => {
  expect([0.1, 12.4, 61].map((seconds) => thought(format, seconds))).toEqual([
    "thought for 1 s",
    "thought for 12 s",
    "thought for 1 min 1 s",
  ]);
});
