/** The tests in `tests/host`, run by mocha inside the extension host. */

import { join } from "node:path";
import { expect, test } from "vitest";
import { Editor } from "./editor";
import { LATEST, ROOT } from "./server";

test("what is tested inside the extension host", async () => {
  const lines: string[] = [];
  let exit: (code: number) => void = () => {};
  const exited = new Promise<number>((resolve) => (exit = resolve));
  const script = join(ROOT, "dist-test/index.js");
  const editor = await Editor.start({
    settings: {},
    host: { script, log: (line) => lines.push(line), exit },
  });
  const late = setTimeout(() => exit(124), 2.5 * LATEST);
  try {
    expect(await exited).toBe(0);
  } finally {
    console.log(lines.join("\n"));
    clearTimeout(late);
    await editor.shot("host");
    await editor.close();
  }
});
