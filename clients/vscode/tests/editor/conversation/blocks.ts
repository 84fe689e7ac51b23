/** Blocks of code: asked about, edited, run, stopped, answered. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { drive, editor, model } from "../driven";
import { code, words } from "../model";
import { LATEST } from "../server";

drive("from the palette to an answer", async () => {
  model.replies(code("34 / 24"), words("The result is **about 1.42**, as you see."));
  await editor.chat("What's 34/24?");
  await editor.button("Run").waitFor();
  await editor.shot("approval");
  await editor.button("Run").click();
  await editor.rendered("1.4166666666666667").waitFor();
  await editor.rendered("about 1.42").waitFor();
  await editor.shot("answer");
});

drive("the active line moves; output and a picture appear inline", async () => {
  const source = [
    "import os, time",
    "import matplotlib.pyplot as plt",
    "while not os.path.exists('first'): time.sleep(0.05)",
    "print('size', 1)",
    "while not os.path.exists('second'): time.sleep(0.05)",
    "plt.plot([1, 4, 9])",
    "plt.show()",
  ].join("\n");
  const place = async () => (await editor.activeLine.boundingBox().catch(() => null))?.y ?? 0;
  model.replies(code(source), words("A curve that grows."));
  await editor.chat("Plot the squares");
  await editor.button("Run").click();
  await editor.activeLine.waitFor();
  await expect.poll(() => editor.activeNumber(), { timeout: LATEST }).toBe("3");
  const before = await place();
  writeFileSync(join(editor.workspace, "first"), "");
  await expect.poll(() => editor.activeNumber(), { timeout: LATEST }).toBe("5");
  await editor.rendered("size 1").waitFor();
  expect(await place()).toBeGreaterThan(before);
  await editor.shot("active-line");
  writeFileSync(join(editor.workspace, "second"), "");
  await editor.outputs.locator("img").waitFor();
  await editor.rendered("A curve that grows.").waitFor();
  await editor.shot("picture");
});

drive("edit before run: what was edited runs, and the keys go into the code at once", async () => {
  model.replies(code("print('theirs')"), words("Done."));
  await editor.chat("Say something");
  await editor.button("Edit and Run").click();
  await editor.composing();
  await editor.write("print('mine' * 2)");
  await editor.page.keyboard.press("Escape");
  await editor.palette("Open Interpreter: Edit Waiting Code");
  await editor.composing();
  await editor.write("print('mine' * 3)");
  await editor.button("Run").click();
  await editor.rendered("mineminemine").waitFor();
  await editor.rendered("Done.").waitFor();
  expect(JSON.stringify(model.requests.at(-1)?.body)).toContain("print('mine' * 3)");
});

drive("what clears the output does, and a display takes another's place", async () => {
  const source = [
    "class Bold(str):",
    "    def _repr_html_(self): return f'<b>{self}</b>'",
    "print('before'); display(Bold('gone')); input('Clear? ')",
    "print('\\x1b[H\\x1b[2J' + 'after')",
    "shown = display(Bold('first'), display_id=True); input('Replace? ')",
    "shown.update(Bold('second'));",
  ].join("\n");
  model.replies(code(source), words("Shown."));
  await editor.chat("Show");
  await editor.button("Run").click();
  await editor.rendered("gone").waitFor();
  await editor.box("Clear?").press("Enter");
  await editor.rendered("first").waitFor();
  await editor.rendered("gone").waitFor({ state: "detached" });
  await editor.rendered("before").waitFor({ state: "detached" });
  await editor.box("Replace?").press("Enter");
  await editor.rendered("second").waitFor();
  await editor.rendered("Shown.").waitFor();
  await editor.rendered("first").waitFor({ state: "detached" });
  await editor.rendered("after").waitFor();
});

drive("skip: the code does not run, is marked, and Run All asks before it runs it", async () => {
  model.replies(code("print('never' + 'more')"), words("Then not."));
  await editor.chat("Do it");
  await editor.button("Skip").click();
  await editor.rendered("Then not.").waitFor();
  await editor.button("⊘ Declined").waitFor();
  await editor.idle();
  expect(await editor.save("Export to Markdown...", "Do it.md")).toContain("⊘ *status: declined*");
  const runAll = () => editor.toolbar.getByText("Run All").click();
  await editor.palette("Open Interpreter: Write Message");
  await editor.composing("Message");
  await editor.page.keyboard.type("Another cell");
  await editor.page.keyboard.press("Escape");
  await runAll();
  await editor.dialog("declined").getByText("Cancel").click();
  await runAll();
  model.replies(words("As you say."));
  await editor.dialog("declined").getByText("Leave Them Out").click();
  await editor.rendered("As you say.").waitFor();
  expect(await editor.rendered("nevermore").count()).toBe(0);
});

drive("always is shown in the status bar, which takes it back", async () => {
  model.replies(code("print('first' * 2)"), code("print('second' * 2)"), words("Both."));
  await editor.chat("Print twice");
  await editor.button("Always").click();
  await editor.rendered("secondsecond").waitFor();
  await editor.rendered("Both.").waitFor();
  await editor.always.waitFor();
  await editor.shot("always");
  await editor.always.click();
  await editor.always.waitFor({ state: "hidden" });
  await editor.idle();
  model.replies(code("print('third' * 2)"), words("Asked."));
  await editor.chat("Once more");
  await editor.button("Always").click();
  await editor.rendered("thirdthird").waitFor();
  await editor.always.waitFor();
  await editor.idle();
  await editor.palette("Open Interpreter: Reset");
  await editor.dialog("Reset this conversation?").getByText("Reset", { exact: true }).click();
  await editor.always.waitFor({ state: "hidden" });
});

drive("the notebook's own button stops an endless loop", async () => {
  model.replies(code("while True:\n    pass"), words("Not asked for."));
  await editor.chat("Loop");
  await editor.button("Run").click();
  await editor.activeLine.waitFor();
  await editor.page.locator(".notebookOverlay .code-cell-row .codicon-notebook-stop").first().click();
  await editor.activeLine.waitFor({ state: "detached" });
  await editor.idle();
  await editor.shot("stopped");
});

drive("input() asks in a box, hidden for passwords", async () => {
  const source = "import getpass\nname = input('Your name: ')\nprint('Hello', name, len(getpass.getpass()))";
  model.replies(code(source), words("Greeted."));
  await editor.chat("Greet me");
  await editor.button("Run").click();
  await editor.box("Your name:").waitFor();
  await editor.shot("input");
  await editor.answer("Ada");
  await editor.page.locator(".quick-input-widget input[type=password]").waitFor();
  await editor.answer("12345");
  await editor.rendered("Your name: Ada").waitFor();
  await editor.rendered("Password: •••••").waitFor();
  await editor.rendered("Hello Ada 5").waitFor();
  await editor.rendered("Greeted.").waitFor();
});

drive("an error is one of its own, and its frames lead to the cells", async () => {
  model.replies(code("def half(x):\n    return x / 0"), code("print('before')\nhalf(1)"), words("Sorry."));
  await editor.chat("Halve it");
  await editor.button("Run").click();
  await editor.code("print('before')").waitFor();
  await editor.button("Run").click();
  await editor.rendered("Sorry.").waitFor();
  await editor.idle();
  await editor.rendered("ZeroDivisionError").first().waitFor();
  await editor.shot("error");
  await editor.outputs.locator("a", { hasText: "line 2" }).last().click();
  await editor.code("def half").locator(".monaco-editor.focused").waitFor();
});
