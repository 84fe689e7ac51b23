/** The picture of the README, made by scripts/pictures. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "vitest";
import { Editor } from "./editor";
import { code, Model, words } from "./model";

const SOURCE = [
  "import matplotlib.pyplot as plt",
  "from pathlib import Path",
  "",
  "files = sorted(Path().iterdir())",
  "sizes = [file.stat().st_size / 1000 for file in files]",
  "plt.figure(figsize=(7, 2.6))",
  "plt.barh([file.name for file in files], sizes)",
  "plt.xlabel('kB')",
  "plt.show()",
].join("\n");
const FILES = { "data.csv": 230_400, "notes.md": 1_200, "photo.jpg": 912_000, "report.pdf": 48_300 };

test.runIf(process.env.OI_PICTURES)("a question, the code and its picture", async () => {
  const model = await new Model().start();
  const editor = await Editor.start({ settings: { "oi.apiBase": model.url } });
  try {
    for (const [name, size] of Object.entries(FILES)) {
      writeFileSync(join(editor.workspace, name), "x".repeat(size));
    }
    await editor.page.setViewportSize({ width: 1180, height: 820 });
    model.replies(code(SOURCE), words("The largest by far is `photo.jpg`, with **912 kB**."));
    await editor.chat("Plot how large the files in this folder are");
    await editor.button("Run").click();
    await editor.outputs.locator("img").waitFor();
    await editor.rendered("The largest by far").waitFor();
    await editor.idle();
    await editor.palette("Notifications: Clear All Notifications");
    await editor.shot("answer-for-the-readme");
  } finally {
    await editor.close();
    model.stop();
  }
});
