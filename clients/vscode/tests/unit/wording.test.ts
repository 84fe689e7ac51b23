import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { inEditorsWords } from "../../src/wording";

const DAEMON = join(import.meta.dirname, "../../../../oi_daemon");

/** The texts of the daemon's errors about models, as they stand in its source. */
const source = readFileSync(join(DAEMON, "model/explanations.py"), "utf8").replaceAll(/"\n\s+f?"/g, "");
const errors = [...source.matchAll(/(?<!")f?"([^"\n]{40,})"/g)].map(([, text]) => text as string);

test("no error about a model names a command line, a magic command or a setting of the terminal", () => {
  expect(errors.length).toBeGreaterThan(10);
  for (const text of errors) {
    const worded = inEditorsWords(text).replaceAll(/\{\w+\}/g, "");
    expect(worded).not.toMatch(/interpreter --|%reset|OPENAI_API_KEY|\b[a-z]+_[a-z]+\b/);
  }
});

test("the remedies are the editor's own", () => {
  const refused =
    "S refused the key: No. Check OPENAI_API_KEY or the setting api_key (`interpreter --config`); x";
  expect(inEditorsWords(refused)).toBe("S refused the key: No. Use Set API Key; x");
  expect(inEditorsWords("Check the setting api_base; it ends in /v1.")).toBe(
    "Check the setting `oi.apiBase`; it ends in /v1.",
  );
});
