import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { Editor, isAlive } from "./editor";
import { code, Model, refusal, text, thinking, words } from "./model";
import { LATEST } from "./server";

let model: Model;
let editor: Editor;

beforeAll(async () => {
  model = await new Model().start();
  editor = await Editor.start({ settings: { "oi.apiBase": model.url } });
});

beforeEach(() => editor.clear());

afterAll(async () => {
  await editor?.close();
  model?.stop();
});

/** A test that keeps a picture of what went wrong. */
function drive(name: string, work: () => Promise<void>): void {
  test(name, async () => {
    try {
      await work();
    } catch (error) {
      await editor.shot(`failed-${name.replaceAll(/\W+/g, "-")}`);
      throw error;
    }
  });
}

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

drive("thinking is shown, then folded, and is in no file", async () => {
  const thoughts =
    "**Dividing**\n\nFirst I divide 34 by 24, which is 17 by 12. That is 1 and 5 by 12, so </details> the quotient" +
    " is a little more than 1.4.\n\n```python\nprint(34 / 24)\n```\n\nThen I round it to two places.";
  model.replies(thinking(thoughts, words("It is **about 1.42**."), 200));
  await editor.chat("What's 34/24?");
  await editor.status.getByText("thinking").waitFor();
  await editor.rendered("First I divide").waitFor();
  await editor.shot("thinking");
  await editor.rendered("about 1.42").waitFor();
  await editor.idle();
  await editor.rendered("Then I round it").waitFor({ state: "hidden" });
  await editor.shot("thought");
  await editor.rendered(/^thought for \d+ s$/).click();
  await editor.rendered("Then I round it").waitFor();
  await editor.shot("thinking-open");
  expect(await editor.save("Export to Markdown...", "What's 34 24?.md")).toBe(
    "> What's 34/24?\n\nIt is **about 1.42**.\n",
  );
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
  await editor.always.waitFor({ state: "hidden" });
});

drive("what is saved and not sent is there after a reload", async () => {
  model.replies(code("print('kept' * 2)"), words("Printed."));
  await editor.chat("Print");
  await editor.button("Run").click();
  await editor.rendered("Printed.").waitFor();
  await editor.idle();
  await editor.palette("Open Interpreter: Write Message");
  await editor.composing("Message");
  await editor.write("Half a message");
  await editor.page.keyboard.press("Control+S");
  await expect.poll(() => editor.drafts(), { timeout: LATEST }).toContain("Half a message");
  await editor.palette("View: Close All Editors");
  await editor.tab("Print").waitFor({ state: "detached" });
  await editor.open();
  await editor.palette("Open Interpreter: Open Conversation...");
  await editor.pick("Print");
  await editor.code("Half a message").waitFor();
  model.replies(words("The whole answer."));
  await editor.code("Half a message").locator(".monaco-editor .view-lines").click();
  await editor.composing("Message");
  await editor.page.keyboard.press("Control+Enter");
  await editor.rendered("The whole answer.").waitFor();
  await editor.code("Half a message").waitFor({ state: "detached" });
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
  await editor.rendered("Hello Ada 5").waitFor();
  await editor.rendered("Greeted.").waitFor();
});

drive("a wrong key is told, and a new one is taken", async () => {
  model.replies(refusal(401));
  await editor.chat("Hello?");
  await editor.notification("key").waitFor();
  await editor.rendered("refused the key").waitFor();
  await editor.shot("wrong-key");
  await editor.notification("key").getByText("Set API Key").click();
  await editor.answer("sk-fresh");
  model.replies(words("Hello to you."));
  await editor.chat("Hello again");
  await editor.rendered("Hello to you.").waitFor();
  expect(model.requests.at(-1)?.key).toBe("sk-fresh");
  expect(await editor.rendered("Hello?").count()).toBe(0);
});

drive("a daemon that is killed in mid-turn comes back, and so does the conversation", async () => {
  model.replies(code("print('kept' + ' safe')"), words("Kept."), code("import time\ntime.sleep(99)"));
  await editor.chat("Keep this");
  await editor.button("Run").click();
  await editor.rendered("Kept.").waitFor();
  await editor.idle();
  await editor.chat("And wait");
  await editor.button("Run").click();
  await editor.activeLine.waitFor();
  for (const pid of editor.processes("--stdio")) process.kill(pid, "SIGKILL");
  await editor.activeLine.waitFor({ state: "detached" });
  await editor.rendered("kept safe").waitFor();
  await editor.shot("restarted");
  model.replies(words("Back again."));
  await editor.chat("Are you there?");
  await editor.rendered("Back again.").waitFor();
});

drive("a saved conversation opens as a notebook", async () => {
  model.replies(code("print('saved' * 2)"), words("Saved."));
  await editor.chat("Remember the zebra");
  await editor.button("Run").click();
  await editor.rendered("Saved.").waitFor();
  await editor.idle();
  await editor.palette("View: Close All Editors");
  await editor.tab("zebra").waitFor({ state: "detached" });
  await editor.palette("Open Interpreter: Open Conversation...");
  await editor.pick("zebra");
  await editor.rendered("savedsaved").waitFor();
  await editor.rendered("Saved.").waitFor();
});

drive("a conversation is exported to a Jupyter notebook and to Markdown", async () => {
  model.replies(code("print('exported')"), words("There *it* is."));
  await editor.chat("Print it");
  await editor.button("Run").click();
  await editor.rendered("There it is.").waitFor();
  await editor.idle();
  const notebook = JSON.parse(await editor.save("Export to Jupyter Notebook...", "Print it.ipynb"));
  const sources = notebook.cells.map(({ source }: { source: string }) => source);
  expect(sources).toEqual(["> Print it", "print('exported')", "There *it* is."]);
  expect(notebook.cells[1].outputs[0]).toMatchObject({ output_type: "stream", text: "exported\n" });
  const markdown = await editor.save("Export to Markdown...", "Print it.md");
  expect(markdown).toBe(
    "> Print it\n\n```python\nprint('exported')\n```\n\n```text\nexported\n```\n\nThere *it* is.\n",
  );
});

drive("a block that failed is exported with its error", async () => {
  model.replies(code("print('before')\n1 / 0"), words("I am sorry."));
  await editor.chat("Divide");
  await editor.button("Run").click();
  await editor.rendered("I am sorry.").waitFor();
  await editor.idle();
  const notebook = JSON.parse(await editor.save("Export to Jupyter Notebook...", "Divide.ipynb"));
  expect(notebook.cells[1].metadata.oi).toEqual({ status: "error" });
  expect(notebook.cells[1].outputs).toMatchObject([
    { output_type: "stream", text: "before\n" },
    { output_type: "error", ename: "ZeroDivisionError", evalue: "division by zero" },
  ]);
  const markdown = await editor.save("Export to Markdown...", "Divide.md");
  expect(markdown).toContain("\n\n✗ *status: error*\n\n");
});

drive("a model that is chosen answers, and the status bar names it", async () => {
  await editor.palette("Open Interpreter: Choose Model...");
  await editor.pick("gpt-4o-mini");
  model.replies(words("Small as I am."));
  await editor.chat("Who are you?");
  await editor.rendered("Small as I am.").waitFor();
  await editor.idle();
  expect(model.requests.at(-1)?.body.model).toBe("gpt-4o-mini");
  await editor.status.getByText("gpt-4o-mini").waitFor();
  await editor.palette("Open Interpreter: Choose Model...");
  await editor.pick("gpt-4.1");
  await editor.status.getByText("gpt-4o-mini").waitFor({ state: "hidden" });
});

drive("commands are offered only where they mean something", async () => {
  expect(await editor.offers("Open Interpreter: Chat...")).toBe(true);
  for (const command of ["Undo Last Turn", "Run Waiting Code", "Stop", "Run Selection", "Reset"])
    expect(await editor.offers(`Open Interpreter: ${command}`), command).toBe(false);
  model.replies(code("print(1)"), words("One."));
  await editor.chat("One");
  await editor.button("Skip").waitFor();
  for (const command of ["Run Waiting Code", "Skip Waiting Code", "Stop"])
    expect(await editor.offers(`Open Interpreter: ${command}`), command).toBe(true);
  await editor.button("Stop").click();
  await editor.idle();
});

drive("Chat... in the notebook's toolbar goes on with the conversation", async () => {
  model.replies(words("At your service."), words("Still here."));
  await editor.chat("Hello");
  await editor.rendered("At your service.").waitFor();
  await editor.idle();
  await editor.toolbar.getByText("Chat...").click();
  await editor.answer("And now?");
  await editor.rendered("Still here.").waitFor();
  await editor.rendered("At your service.").waitFor();
});

drive("the walkthrough leads from the key to the first answer", async () => {
  await editor.palette("Welcome: Open Walkthrough...");
  await editor.pick("Ask in plain words");
  const steps = editor.page.locator(".gettingStartedContainer");
  for (const step of ["Choose a model", "Ask", "Answer for the code"])
    await steps.getByText(step, { exact: true }).first().waitFor();
  await editor.shot("walkthrough");
});

drive("two conversations at once", async () => {
  const source = "import os, time\nwhile not os.path.exists('go'):\n    time.sleep(0.05)";
  model.replies(code(source));
  await editor.chat("The slow one");
  await editor.button("Run").click();
  await editor.activeLine.waitFor();
  await editor.palette("Open Interpreter: New Conversation");
  await editor.tab("New Conversation").waitFor();
  await editor.composing();
  await editor.page.keyboard.type("The quick one");
  model.replies(words("Quick as a fox."));
  await editor.page.keyboard.press("Control+Enter");
  await editor.sees("Quick as a fox.");
  model.replies(words("And slow as a snail."));
  writeFileSync(join(editor.workspace, "go"), "");
  await editor.tab("The slow one").click();
  await editor.sees("And slow as a snail.");
  await editor.shot("two");
});

drive("undo takes the last turn away, and reset all of it", async () => {
  model.replies(words("The first answer."), words("The second answer."));
  await editor.chat("One");
  await editor.rendered("The first answer.").waitFor();
  await editor.idle();
  await editor.chat("Two");
  await editor.rendered("The second answer.").waitFor();
  await editor.idle();
  await editor.palette("Open Interpreter: Undo Last Turn");
  await editor.rendered("The second answer.").waitFor({ state: "hidden" });
  await editor.rendered("The first answer.").waitFor();
  await editor.palette("Open Interpreter: Reset");
  await editor.rendered("The first answer.").waitFor({ state: "hidden" });
});

drive("a selection is run, and asked about with its place", async () => {
  await editor.file("sums.py", "print(sum(range(101)))\n");
  const line = editor.page.locator(".view-line", { hasText: "print" }).first();
  await line.click();
  await editor.page.keyboard.press("Control+A");
  await editor.palette("Open Interpreter: Run Selection");
  await editor.rendered("5050").waitFor();
  await editor.idle();
  model.replies(words("It adds the numbers up to a hundred."));
  await editor.tab("sums.py").click();
  await line.click();
  await editor.page.keyboard.press("Control+A");
  await editor.palette("Open Interpreter: Chat About Selection...");
  await editor.box("Open Interpreter").waitFor();
  await editor.answer("What does this do?");
  await editor.rendered("It adds the numbers").waitFor();
  expect(JSON.stringify(model.requests.at(-1)?.body)).toContain("sums.py:1-2");
});

drive("5,000 tokens at 500 a second: keys are echoed meanwhile, and nothing is lost", async () => {
  await editor.file("notes.txt", "");
  await editor.palette("View: Split Editor Right");
  const quiet = await echoes("abcdefghij");
  const tokens = Array.from({ length: 5000 }, (_, i) => (i % 50 === 49 ? `t${i}\n\n` : `t${i} `));
  model.replies({ ...text(...tokens), delay: 2 });
  await editor.chat("Write a lot");
  await editor.rendered("t40").first().waitFor();
  await editor.page.locator(".editor-instance .monaco-editor").first().click();
  const busy = await echoes("klmnopqrst");
  console.log(`a key is echoed within ${quiet} ms; ${busy} ms while tokens come`);
  expect(await editor.rendered("t4999").count()).toBe(0);
  await editor.idle();
  await editor.sees("t4999");
  expect(editor.lastSaved()).toContain(JSON.stringify(tokens.join("").trimEnd()).slice(1, -1));
});

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

/** Type these characters where the cursor is: the median of the milliseconds until each is shown. */
async function echoes(characters: string): Promise<number> {
  const delays: number[] = [];
  for (const character of characters) delays.push(await editor.echo(character));
  return Math.round(delays.sort((a, b) => a - b)[delays.length >> 1] as number);
}
