/** The parts of the window around a conversation. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { drive, editor, model } from "../driven";
import { code, text, words } from "../model";

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

drive("a new conversation has the cursor in a message, which takes along what it mentions", async () => {
  await editor.file("notes.txt", "The secret is 42.");
  await editor.page.keyboard.press("Control+A");
  await editor.palette("Open Interpreter: New Conversation");
  await editor.composing("Message");
  await editor.button("Send").waitFor();
  await editor.shot("new-conversation");
  await editor.page.keyboard.type("Read @not");
  const offered = editor.page.locator(".suggest-widget .monaco-list-row", { hasText: "@notes.txt" });
  await offered.waitFor();
  await editor.shot("mention");
  await offered.click();
  await editor.page.keyboard.type(" and #selection");
  model.replies(words("It is 42."));
  await editor.button("Send").click();
  await editor.sees("It is 42.");
  await editor.tab("Read @notes.txt and").waitFor();
  await editor.tab("New Conversation").waitFor({ state: "detached" });
  await editor.idle();
  await editor.shot("entitled");
  const sent = JSON.stringify(model.requests.at(-1)?.body);
  expect(sent).toContain("Read @notes.txt and #selection\\n\\nnotes.txt\\n```\\nThe secret is 42.\\n```");
  expect(sent).toContain("notes.txt:1-1\\n```plaintext\\nThe secret is 42.");
});

drive("the status bar's menu has the model, the cost and the daemon", async () => {
  model.replies(words("Cheap."));
  await editor.chat("How much?");
  await editor.rendered("Cheap.").waitFor();
  await editor.idle();
  await editor.status.click();
  for (const entry of ["Choose Model...", "120 tokens", "Restart Daemon", "Show Log"])
    await editor.box(entry).waitFor();
  await editor.shot("menu");
  await editor.pick("Restart Daemon");
  await editor.notification("their variables are lost").waitFor();
  await editor.rendered("Cheap.").waitFor();
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

/** Type these characters where the cursor is: the median of the milliseconds until each is shown. */
async function echoes(characters: string): Promise<number> {
  const delays: number[] = [];
  for (const character of characters) delays.push(await editor.echo(character));
  return Math.round(delays.sort((a, b) => a - b)[delays.length >> 1] as number);
}
