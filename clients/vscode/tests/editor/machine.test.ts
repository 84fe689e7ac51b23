/** On a machine that has nothing yet: the package is installed, and it installs the daemon. */

import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Editor } from "./editor";
import { code, Model, words } from "./model";
import { LATEST, REPOSITORY, ROOT } from "./server";

const folder = mkdtempSync(join(tmpdir(), "oi-package-"));
const vsix = join(folder, "open-interpreter.vsix");
let model: Model;
let editor: Editor;

beforeAll(async () => {
  execFileSync("npm", ["run", "--silent", "package", "--", "--out", vsix], { cwd: ROOT });
  model = await new Model().start();
  editor = await Editor.start({
    vsix,
    path: `${pythonAlone()}:/usr/bin:/bin`,
    settings: { "oi.daemonPath": "", "oi.package": REPOSITORY, "oi.apiBase": model.url },
  });
});

afterAll(async () => {
  await editor?.close();
  model?.stop();
  rmSync(folder, { recursive: true });
});

test("the package is smaller than 400 KB", () => {
  expect(statSync(vsix).size).toBeLessThan(400_000);
});

test("without a daemon the question is shown with the ways on; a path can be chosen; one click installs it", {
  timeout: 10 * LATEST,
}, async () => {
  model.replies(code("print('fresh' * 2)"), words("Installed and asked."));
  await editor.chat("Are you there?");
  await editor.rendered("oi-daemon is not installed").waitFor();
  await editor.code("Are you there?").waitFor();
  await editor.shot("install");
  await editor.button("Choose Its Path...").click();
  await editor.box("Where is oi-daemon?").waitFor();
  await editor.shot("choose-path");
  await editor.page.keyboard.press("Escape");
  await editor.button("Retry").click();
  await editor.rendered("oi-daemon is not installed").waitFor();
  expect(await editor.page.locator(".notification-toast").count()).toBe(0);
  await editor.button("Install").click();
  await editor.notification("Installing oi-daemon").waitFor();
  await editor.button("Run").waitFor({ timeout: 6 * LATEST });
  await editor.button("Run").click();
  await editor.rendered("freshfresh").waitFor();
  await editor.rendered("Installed and asked.").waitFor();
  await editor.rendered("Are you there?").waitFor();
  await editor.shot("installed");
  const [daemon] = editor.commandLines("--stdio");
  expect(daemon).toContain("globalStorage/oi-daemon.open-interpreter/venv/bin/");
});

/** A folder with only the tests' Python in it, without the daemon. */
function pythonAlone(): string {
  const program = join(folder, "python3");
  writeFileSync(program, `#!/bin/sh\nexec ${join(REPOSITORY, ".venv/bin/python")} "$@"\n`);
  chmodSync(program, 0o755);
  return folder;
}
