/** The editor's own AI: its models answer our turns without a key, and its agents use our tools. */

import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Editor } from "./editor";

let editor: Editor;
/** Versions before 1.104 know no models of other extensions. */
const hasModels = !process.env.EDITOR_VERSION?.startsWith("4.100");

beforeAll(async () => {
  editor = await Editor.start({
    extensions: [join(import.meta.dirname, "oi-tests.models")],
    settings: {},
    ai: true,
  });
  await editor.open();
});

afterAll(async () => {
  await editor?.close();
});

/** What a file of the workspace holds, once it is there and complete. */
async function written(name: string): Promise<string> {
  const file = join(editor.workspace, name);
  while (!existsSync(file) || !readFileSync(file, "utf8")) await editor.page.waitForTimeout(50);
  return readFileSync(file, "utf8");
}

/** Begin to invoke a tool, as an agent does. */
async function invoke(name: string, input: object): Promise<void> {
  rmSync(join(editor.workspace, "given.json"), { force: true });
  writeFileSync(join(editor.workspace, "tool.json"), JSON.stringify({ name, input }));
  await editor.palette("Test: Invoke Tool");
}

async function given(): Promise<{ text?: string; mime?: string }[] & { error?: string }> {
  return JSON.parse(await written("given.json"));
}

test.runIf(hasModels)("a whole conversation without a key, by a model of the editor", async () => {
  await editor.palette("Open Interpreter: Choose Model");
  await editor.page.locator(".quick-input-list .monaco-list-row", { hasText: "Scripted Small" }).waitFor();
  await editor.shot("editor-models");
  await editor.pick("Scripted Small");
  await editor.chat("Say something");
  await editor.button("Run").click();
  await editor.rendered("It gave a whole conversation.").waitFor();
  await editor.idle();
  await editor.shot("editor-model-answer");
  const asked = (await written("asked.jsonl"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(asked).toHaveLength(2);
  expect(asked[0].tools).toContain("execute");
  expect(asked[0].messages.at(-1).text).toContain("Say something");
  expect(asked[1].messages.at(-1).text).toContain("a whole conversation");
});

test.runIf(hasModels)("Stop stops the editor's model", async () => {
  await editor.chat("Count for ever");
  await editor.rendered("Counting").waitFor();
  await editor.palette("Open Interpreter: Stop");
  await editor.idle();
  expect(await written("cancelled")).toBe("yes");
});

test.runIf(hasModels)(
  "@oi answers in the chat view, runs code after a yes, and opens as a conversation",
  async () => {
    await editor.palette("Test: Ask in the Chat View");
    const chat = editor.page.locator(".interactive-session");
    await chat.getByRole("button", { name: "Run" }).waitFor();
    await editor.shot("participant-waits");
    await chat.getByRole("button", { name: "Run" }).click();
    await chat.getByText("It gave a whole conversation.").waitFor();
    await editor.shot("participant");
    await chat.getByRole("button", { name: "Open as Conversation" }).click();
    await editor.rendered("It gave a whole conversation.").waitFor();
    await editor.shot("participant-opened");
  },
);

test.runIf(hasModels)("our MCP server is offered to all agents", async () => {
  await editor.palette("MCP: List Servers");
  await editor.page.locator(".quick-input-list .monaco-list-row", { hasText: "Open Interpreter" }).waitFor();
  await editor.shot("mcp-servers");
  await editor.page.keyboard.press("Escape");
});

test("an agent's code runs after a yes, and its pictures come back", async () => {
  const code =
    "from pathlib import Path\nPath('ran').write_text('yes')\nprint('by an ' + 'agent')\n" +
    "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()";
  await invoke("run_code", { language: "python", code });
  await editor.dialog("from pathlib import Path").waitFor();
  await editor.shot("tool-confirmation");
  expect(existsSync(join(editor.workspace, "ran"))).toBe(false);
  await editor.page.keyboard.press("Enter");
  const [words, picture] = await given();
  expect(words?.text).toContain("by an agent");
  expect(picture?.mime).toBe("image/png");
  expect(await written("ran")).toBe("yes");
});

test("an agent's code does not run after a no", async () => {
  await invoke("run_code", { language: "python", code: "open('never', 'w')" });
  await editor.dialog("on your machine?").waitFor();
  await editor.page.keyboard.press("Escape");
  expect((await given()).error).toBeDefined();
  expect(existsSync(join(editor.workspace, "never"))).toBe(false);
});

test("an agent sees the variables of the interpreter, without a question", async () => {
  await invoke("variables", {});
  expect((await given())[0]?.text).toContain("Path");
});
