/** Conversations as files of other programs. */

import { expect } from "vitest";
import { drive, editor, model } from "../driven";
import { code, words } from "../model";

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
  expect(notebook.cells[1].execution_count).toBe(1);
  expect(notebook.metadata.kernelspec.name).toBe("python3");
  expect(notebook.metadata.language_info.name).toBe("python");
  expect(notebook.cells[1].outputs).toMatchObject([
    { output_type: "stream", text: "before\n" },
    { output_type: "error", ename: "ZeroDivisionError", evalue: "division by zero" },
  ]);
  const markdown = await editor.save("Export to Markdown...", "Divide.md");
  expect(markdown).toContain("\n\n✗ *status: error*\n\n");
});
