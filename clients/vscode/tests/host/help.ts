/** What the tests inside the extension host share. */

import * as vscode from "vscode";

const LATEST = 90_000;

/** Until this holds. */
export async function until<T>(find: () => T | undefined | false): Promise<T> {
  const deadline = Date.now() + LATEST;
  for (;;) {
    const found = find();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`It does not come about: ${find}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export function run(command: string, ...args: unknown[]): Thenable<unknown> {
  return vscode.commands.executeCommand(`oi.${command}`, ...args);
}

/** The cells' text in the notebook that is in front. */
export function cells(): vscode.NotebookCell[] {
  return vscode.window.activeNotebookEditor?.notebook.getCells() ?? [];
}

export function texts(): string[] {
  return cells().map(({ document }) => document.getText());
}

export function output(cell: vscode.NotebookCell): string {
  const items = cell.outputs.flatMap(({ items }) => items);
  return items.map(({ data }) => Buffer.from(data).toString()).join("");
}
