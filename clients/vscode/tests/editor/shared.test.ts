/** A window of the shared daemon: it is reloaded in the middle of things, and a second client does things too. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { Client } from "./client";
import { drive, editor, model, useEditor } from "./driven";
import { code, words } from "./model";
import { LATEST } from "./server";

useEditor({ "oi.shared": true });

let client: Client;

beforeAll(() => {
  client = new Client(join(editor.state, "home"));
});

afterAll(() => client?.close());

/** The conversation that is open, by what the daemon knows. */
async function current(state: string): Promise<string> {
  let found: string | undefined;
  await expect
    .poll(
      async () => {
        const { conversations } = await client.request("oi/status", {});
        found = conversations.find((each) => each.state === state)?.conversation;
        return found;
      },
      { timeout: LATEST },
    )
    .toBeDefined();
  return found as string;
}

drive(
  "a window that is reloaded in the middle of a block comes back to it, and to its variables",
  async () => {
    const source = [
      "import os, time",
      "kept = 'the ' + 'treasure'",
      "print('before the' + ' reload')",
      "while not os.path.exists('reloaded'): time.sleep(0.05)",
      "print('after the' + ' reload')",
    ].join("\n");
    model.replies(code(source), words("It has ended."));
    await editor.chat("Wait for me");
    await editor.button("Run").click();
    await editor.rendered("before the reload").waitFor();
    await editor.reload();
    await editor.rendered("before the reload").waitFor();
    await editor.status.getByText("running python").waitFor();
    await editor.shot("reloaded-running");
    writeFileSync(join(editor.workspace, "reloaded"), "");
    await editor.rendered("after the reload").waitFor();
    await editor.rendered("It has ended.").waitFor();
    await editor.idle();
    model.replies(code("print(kept * 2)"), words("There it is."));
    await editor.chat("Show it");
    await editor.button("Run").click();
    await editor.rendered("the treasurethe treasure").waitFor();
    await editor.rendered("There it is.").waitFor();
    await editor.idle();
    await editor.shot("reloaded");
  },
);

drive("a window that is reloaded at an approval asks again, with the code as it was edited", async () => {
  model.replies(code("print('theirs')"), words("Printed."));
  await editor.chat("Print");
  await editor.button("Edit and Run").click();
  await editor.composing();
  await editor.write("print('mine' * 2)");
  await editor.page.keyboard.press("Control+S");
  await expect.poll(() => editor.drafts(), { timeout: LATEST }).toContain("mine");
  await editor.reload();
  await editor.button("Run").waitFor();
  await editor.code("print('mine' * 2)").waitFor();
  await editor.shot("reloaded-approval");
  await editor.button("Run").click();
  await editor.rendered("minemine").waitFor();
  await editor.rendered("Printed.").waitFor();
  await editor.idle();
});

drive("an approval that another client answers is no question here any more", async () => {
  model.replies(code("print('theirs' * 2)"), words("Answered."));
  await editor.chat("Ask us both");
  await editor.button("Run").waitFor();
  const conversation = await current("approval");
  const { turn } = await client.request("oi/attach", { conversation });
  const approval = turn?.approval?.id as string;
  expect(await client.request("oi/approve", { conversation, approval, decision: "skip" })).toEqual({
    accepted: true,
  });
  await editor.button("Run").waitFor({ state: "detached" });
  await editor.button("⊘ Declined").waitFor();
  await editor.rendered("Answered.").waitFor();
  await editor.idle();
});

drive("what another client asks, runs and takes back is shown as it happens", async () => {
  model.replies(words("Here I am."));
  await editor.chat("Where?");
  await editor.rendered("Here I am.").waitFor();
  await editor.idle();
  const { conversations } = await client.request("oi/history/list", { limit: 1 });
  const conversation = conversations[0]?.conversation as string;
  const settings = { api_base: model.url };
  model.replies(code("print('over' + ' there')"), words("That was another client."));
  const asked = client.request("oi/stream", { conversation, message: "From afar", settings });
  await editor.rendered("From afar").waitFor();
  await editor.button("Run").click();
  await editor.rendered("over there").waitFor();
  await asked;
  await editor.rendered("That was another client.").waitFor();
  await editor.idle();
  await editor.shot("another-client");
  await client.request("oi/history/undo", { conversation });
  await editor.rendered("From afar").waitFor({ state: "detached" });
  await editor.rendered("Here I am.").waitFor();
});

drive("a conversation whose tab is closed runs on, and is offered as one that runs", async () => {
  model.replies(code("import time\nwhile True: time.sleep(0.05)"), words("Stopped."));
  await editor.chat("Run on and on");
  await editor.button("Run").click();
  await editor.activeLine.waitFor();
  await editor.palette("View: Close All Editors");
  await editor.tab("Run on").waitFor({ state: "detached" });
  await current("running");
  await editor.palette("Open Interpreter: Open Conversation...");
  await editor.page.locator(".quick-input-list-separator", { hasText: "Running" }).waitFor();
  await editor.shot("running-list");
  await editor.pick("Run on and on");
  await editor.activeLine.waitFor();
  await editor.palette("Open Interpreter: Stop");
  await editor.activeLine.waitFor({ state: "detached" });
  await editor.idle();
});

drive("a connection that is lost in the middle of a block loses nothing", async () => {
  const source =
    "import os, time\nwhile not os.path.exists('found'): time.sleep(0.05)\nprint('still' + ' there')";
  model.replies(code(source), words("All of it."));
  await editor.chat("Lose me");
  await editor.button("Run").click();
  await editor.activeLine.waitFor();
  for (const pid of editor.processes("--stdio")) process.kill(pid, "SIGKILL");
  await editor.activeLine.waitFor({ state: "detached" });
  await editor.status.getByText("running python").waitFor();
  writeFileSync(join(editor.workspace, "found"), "");
  await editor.rendered("still there").waitFor();
  await editor.rendered("All of it.").waitFor();
  await editor.idle();
  expect(await editor.notification("variables are lost").count()).toBe(0);
});
