/** A folder that is not trusted yet, and a Python environment that is selected in the editor. */

import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Editor } from "./editor";
import { code, Model, words } from "./model";

let model: Model;
let editor: Editor;

beforeAll(async () => {
  model = await new Model().start();
  editor = await Editor.start({
    trusts: false,
    extensions: [join(import.meta.dirname, "ms-python.python")],
    path: "/usr/bin:/bin",
    settings: { "oi.daemonPath": "", "oi.python": null, "oi.apiBase": model.url },
  });
});

afterAll(async () => {
  await editor?.close();
  model?.stop();
});

test("where the folder is not trusted, nothing runs; once it is, the selected environment's daemon does", async () => {
  const restricted = editor.page.locator(".statusbar-item", { hasText: "Restricted Mode" });
  await restricted.waitFor();
  expect(await editor.offers("Open Interpreter: Chat...")).toBe(false);
  expect(editor.commandLines("--stdio")).toEqual([]);
  await editor.shot("restricted");
  await editor.palette("Workspaces: Manage Workspace Trust");
  await editor.page.locator(".workspace-trust-editor").getByText("Trust", { exact: true }).first().click();
  await restricted.waitFor({ state: "hidden" });
  model.replies(code("import sys; print(sys.prefix)"), words("That one."));
  await editor.chat("Which Python?");
  await editor.button("Run").click();
  await editor.rendered("That one.").waitFor();
  await editor.rendered(process.env.SELECTED_ENVIRONMENT as string).waitFor();
});
