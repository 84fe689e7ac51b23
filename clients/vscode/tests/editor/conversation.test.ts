import { afterAll, beforeAll, expect, test } from "vitest";
import { Editor } from "./editor";
import { code, Model, words } from "./model";

let model: Model;
let editor: Editor;

beforeAll(async () => {
  model = await new Model().start();
  editor = await Editor.start({ settings: { "oi.apiBase": model.url } });
});

afterAll(async () => {
  await editor?.close();
  model?.stop();
});

test("from the palette to an answer", async () => {
  model.replies(code("34 / 24"), words("The result is **about 1.42**, as you see."));
  await editor.chat("What's 34/24?");
  try {
    await editor.button("Run").waitFor();
    await editor.shot("approval");
    await editor.button("Run").click();
    await editor.rendered("1.4166666666666667").waitFor();
    await editor.rendered("about 1.42").waitFor();
  } finally {
    await editor.shot("answer");
  }
  expect(model.requests.length).toBe(2);
});
