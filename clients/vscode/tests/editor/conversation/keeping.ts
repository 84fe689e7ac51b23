/** What is kept: drafts, conversations, through reloads and the end of the daemon. */

import { expect } from "vitest";
import { drive, editor, model } from "../driven";
import { code, words } from "../model";
import { LATEST } from "../server";

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
  await editor.notification("their variables are lost").waitFor();
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
  await editor.dialog("Reset this conversation?").getByText("Cancel").click();
  await editor.rendered("The first answer.").waitFor();
  await editor.palette("Open Interpreter: Reset");
  await editor.dialog("Reset this conversation?").getByText("Reset", { exact: true }).click();
  await editor.rendered("The first answer.").waitFor({ state: "hidden" });
});

drive(
  "a conversation that is opened again can be undone; one is found by its text, and deleted",
  async () => {
    model.replies(words("About the walrus."), words("And the carpenter."));
    await editor.chat("A poem");
    await editor.rendered("About the walrus.").waitFor();
    await editor.idle();
    await editor.chat("Go on");
    await editor.rendered("And the carpenter.").waitFor();
    await editor.idle();
    await editor.palette("View: Close All Editors");
    await editor.tab("A poem").waitFor({ state: "detached" });
    const find = async () => {
      await editor.palette("Open Interpreter: Open Conversation...");
      await editor.page.locator(".quick-input-widget input[type=text]").fill("walrus");
      await editor.page.locator(".quick-input-list .monaco-list-row", { hasText: "walrus" }).waitFor();
      const rows = editor.page.locator(".quick-input-list .monaco-list-row");
      await expect.poll(() => rows.count(), { timeout: LATEST }).toBe(1);
      return rows.first();
    };
    await find();
    await editor.shot("search");
    await editor.pick("A poem");
    await editor.rendered("And the carpenter.").waitFor();
    await editor.palette("Open Interpreter: Undo Last Turn");
    await editor.rendered("And the carpenter.").waitFor({ state: "hidden" });
    await editor.rendered("About the walrus.").waitFor();
    await editor.palette("View: Close All Editors");
    const row = await find();
    await row.hover();
    await row.locator(".codicon-trash").click();
    await editor.dialog("Delete").getByText("Delete", { exact: true }).click();
    await editor.box("Nothing is found.").waitFor();
    await editor.page.keyboard.press("Escape");
  },
);
