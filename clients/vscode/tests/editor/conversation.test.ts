/** A conversation in a window with a daemon of its own. One editor serves the tests of all themes. */

import { expect, test } from "vitest";
import { editor, model, useEditor } from "./driven";
import { isAlive } from "./editor";
import { code } from "./model";
import { LATEST } from "./server";

useEditor();
await import("./conversation/blocks");
await import("./conversation/keeping");
await import("./conversation/exports");
await import("./conversation/models");
await import("./conversation/following");
await import("./conversation/window");

test("closing the window leaves no process", async () => {
  model.replies(code("while True:\n    pass"));
  await editor.chat("Loop for ever");
  await editor.button("Run").click();
  await editor.activeLine.waitFor();
  const started = editor.processes("--stdio").concat(editor.processes("oi_daemon"));
  expect(started.length).toBeGreaterThan(0);
  await editor.page.goto("about:blank");
  await expect.poll(() => started.filter(isAlive), { timeout: LATEST }).toEqual([]);
});
