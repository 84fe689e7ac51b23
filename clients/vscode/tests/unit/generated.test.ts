import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");

test("the wire's types and the settings are the daemon's", () => {
  const python = join(ROOT, "../../.venv/bin/python");
  execFileSync(python, [join(ROOT, "scripts/generate.py"), "--check"], { stdio: "inherit" });
});
