/** A conversation as a Jupyter notebook, or as Markdown. */

import * as vscode from "vscode";
import { cellOf, dataFrom, isFailed } from "./cells";
import type { Conversation } from "./conversation";
import type { Block, Cell, Cells, Output } from "./fold";

export async function exportNotebook({ notebook }: Conversation): Promise<void> {
  await save(notebook, "ipynb", toJupyter);
}

export async function exportMarkdown({ notebook }: Conversation): Promise<void> {
  await save(notebook, "md", toMarkdown);
}

async function save(notebook: vscode.NotebookDocument, ending: string, write: (cells: Cells) => string) {
  const name = notebook.uri.path.replace(/^.*\/|\.oi$/g, "");
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri ?? vscode.Uri.file("/");
  const defaultUri = vscode.Uri.joinPath(folder, `${name}.${ending}`);
  const file = await vscode.window.showSaveDialog({ defaultUri, filters: { [ending]: [ending] } });
  if (!file) return;
  const all = notebook.getCells().map((cell) => cellOf(dataFrom(cell)));
  const cells = all.filter(({ kind }) => kind !== "thinking");
  await vscode.workspace.fs.writeFile(file, Buffer.from(write(cells)));
}

/** What a notebook of Python says of itself. Blocks of other languages begin with a cell magic. */
const METADATA = {
  kernelspec: { name: "python3", display_name: "Python 3", language: "python" },
  language_info: {
    name: "python",
    file_extension: ".py",
    mimetype: "text/x-python",
    codemirror_mode: { name: "ipython", version: 3 },
    pygments_lexer: "ipython3",
  },
};

function toJupyter(cells: Cells): string {
  let count = 0;
  const written = cells.map((cell, i) => {
    const hasRun = cell.kind === "block" && cell.state !== "declined";
    return jupyterCell(cell, i, hasRun ? ++count : null);
  });
  return `${JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: METADATA, cells: written }, null, 1)}\n`;
}

/** @param count The block's number among those that have run. */
function jupyterCell(cell: Cell, i: number, count: number | null): object {
  const id = `cell-${i}`;
  if (cell.kind !== "block") return { id, cell_type: "markdown", metadata: {}, source: quoted(cell) };
  const magic = cell.language === "python" || !cell.language ? "" : `%%${cell.language}\n`;
  const outputs = cell.outputs.map(jupyterOutput);
  const status = statusOf(cell);
  const metadata = status ? { tags: [status], oi: { status } } : {};
  return { id, cell_type: "code", metadata, execution_count: count, source: magic + cell.code, outputs };
}

/** How a block ended, in one word, where it says something. */
function statusOf({ state, status }: Block): string | undefined {
  return state === "declined" ? state : status;
}

function jupyterOutput(output: Output): object {
  if ("display" in output) return { output_type: "display_data", metadata: {}, data: output.display };
  if (!output.error) return { output_type: "stream", name: "stdout", text: output.text };
  const { name: ename, message: evalue, traceback } = output.error;
  return { output_type: "error", ename, evalue, traceback };
}

function toMarkdown(cells: Cells): string {
  return `${cells.map(section).join("\n\n")}\n`;
}

function section(cell: Cell): string {
  if (cell.kind !== "block") return quoted(cell);
  const status = statusOf(cell);
  const told = status ? [`${isFailed(cell) ? "✗" : "⊘"} *status: ${status}*`] : [];
  return [fence(cell.code, cell.language), ...joinedTexts(cell.outputs).map(shown), ...told].join("\n\n");
}

/** The outputs with neighbouring texts as one. */
function joinedTexts(outputs: readonly Output[]): Output[] {
  const all: Output[] = [];
  for (const output of outputs) {
    const last = all.at(-1);
    if (last && "text" in last && "text" in output) all.splice(-1, 1, { text: last.text + output.text });
    else all.push(output);
  }
  return all;
}

function shown(output: Output): string {
  if ("text" in output) return fence(output.text.replace(/\n$/, ""), "text");
  const picture = output.display["image/png"];
  return picture
    ? `![](data:image/png;base64,${picture})`
    : fence(String(output.display["text/plain"] ?? ""), "text");
}

function fence(text: string, language: string): string {
  const ticks = "`".repeat(Math.max(3, ...[...text.matchAll(/`+/g)].map(([found]) => found.length + 1)));
  return `${ticks}${language}\n${text}\n${ticks}`;
}

function quoted(cell: Exclude<Cell, { kind: "block" }>): string {
  return cell.kind === "words" && cell.role === "user" ? cell.text.replaceAll(/^/gm, "> ") : cell.text;
}
