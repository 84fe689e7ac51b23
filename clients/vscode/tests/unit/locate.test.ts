import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { locate } from "../../src/locate";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "oi-locate-"));
});

function program(bin: string, mode = 0o755): string {
  mkdirSync(join(folder, bin), { recursive: true });
  const file = join(folder, bin, "oi-daemon");
  writeFileSync(file, "", { mode });
  return file;
}

function places(more = {}) {
  return {
    configured: "",
    python: join(folder, "env/python"),
    own: join(folder, "own"),
    path: join(folder, "path"),
    ...more,
  };
}

test("what is configured is taken as it is", async () => {
  program("env");
  expect(await locate(places({ configured: "/elsewhere/oi-daemon" }))).toBe("/elsewhere/oi-daemon");
});

test("the selected Python environment goes before our own, and that before the PATH", async () => {
  const onPath = program("path");
  expect(await locate(places())).toBe(onPath);
  const own = program("own/bin");
  expect(await locate(places())).toBe(own);
  const selected = program("env");
  expect(await locate(places())).toBe(selected);
  expect(await locate(places({ python: undefined }))).toBe(own);
});

test("a file that cannot be run is none", async () => {
  program("path", 0o644);
  expect(await locate(places())).toBeUndefined();
});
