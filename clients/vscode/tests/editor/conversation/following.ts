/** The newest stays in view. */

import { expect } from "vitest";
import { drive, editor, model } from "../driven";
import { code, words } from "../model";
import { LATEST } from "../server";

/** Where the button is, in relation to what the notebook shows; undefined if it is not wholly in it. */
async function shown(name: string): Promise<boolean> {
  const options = { timeout: 1000 };
  const button = await editor
    .button(name)
    .boundingBox(options)
    .catch(() => null);
  const list = await editor.page
    .locator(".notebookOverlay .cell-list-container")
    .first()
    .boundingBox(options)
    .catch(() => null);
  return Boolean(button && list && button.y >= list.y && button.y + button.height <= list.y + list.height);
}

drive("twelve rounds of words and code: the answers are wholly in view in each", async () => {
  const rounds = Array.from({ length: 12 }, (_, i) => i);
  const source = (i: number) =>
    Array.from({ length: 1 + ((i * 5) % 17) }, (_, line) => `print('round', ${i}, 'line', ${line})`).join(
      "\n",
    );
  const said = (i: number) =>
    `Round ${i}. ${"It is said **in words** what comes next.\n\n".repeat(1 + (i % 4))}`;
  model.replies(
    ...rounds.flatMap((i) => [{ deltas: [{ content: said(i) }, ...code(source(i)).deltas], delay: 5 }]),
    words("That was all."),
  );
  await editor.chat("Go round");
  for (const i of rounds) {
    await expect
      .poll(() => editor.code(`print('round', ${i}, 'line', 0)`).count(), { timeout: LATEST })
      .toBe(1);
    await expect.poll(() => shown("Run"), { timeout: 10_000, message: `in round ${i}` }).toBe(true);
    await expect.poll(() => shown("Always"), { timeout: 10_000, message: `in round ${i}` }).toBe(true);
    if (i === 7) await editor.shot("round");
    await editor.button("Run").click();
  }
  await editor.rendered("That was all.").waitFor();
  await editor.idle();
});
