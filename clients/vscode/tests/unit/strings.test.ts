import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PHRASES, WORDS } from "../../src/activityWords";

const SOURCES = join(import.meta.dirname, "../../src");
const SHOWN = /\bt\(\s*"((?:[^"\\]|\\.)*)"/g;

test("every string that is shown can be translated (npm run unit -- -u writes them down)", async () => {
  const sources = readdirSync(SOURCES).map((name) => readFileSync(join(SOURCES, name), "utf8"));
  const literal = sources.flatMap((source) => [...source.matchAll(SHOWN)].map(([, text]) => text as string));
  const shown = [...literal, ...Object.values(WORDS), ...Object.values(PHRASES)];
  const bundle = Object.fromEntries([...new Set(shown)].toSorted().map((text) => [text, text]));
  await expect(`${JSON.stringify(bundle, null, 2)}\n`).toMatchFileSnapshot("../../l10n/bundle.l10n.json");
});

test("every string of the manifest stands in package.nls.json, and no other", () => {
  const root = join(SOURCES, "..");
  const manifest = readFileSync(join(root, "package.json"), "utf8");
  const used = [...manifest.matchAll(/"%([\w.]+)%"/g)].map(([, name]) => name as string);
  const words = JSON.parse(readFileSync(join(root, "package.nls.json"), "utf8"));
  expect(Object.keys(words).toSorted()).toEqual([...new Set(used)].toSorted());
});
