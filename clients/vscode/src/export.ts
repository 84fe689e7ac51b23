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

function toJupyter(cells: Cells): string {
  return `${JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells: cells.map(jupyterCell) }, null, 1)}\n`;
}

function jupyterCell(cell: Cell, i: number): object {
  const id = `cell-${i}`;
  if (cell.kind !== "block") return { id, cell_type: "markdown", metadata: {}, source: quoted(cell) };
  const magic = cell.language === "python" || !cell.language ? "" : `%%${cell.language}\n`;
  const outputs = jupyterOutputs(cell);
  const status = statusOf(cell);
  const metadata = status ? { tags: [status], oi: { status } } : {};
  return { id, cell_type: "code", metadata, execution_count: null, source: magic + cell.code, outputs };
}

/** The outputs of a block. An error that was raised is one of its own, in the place of its text. */
function jupyterOutputs({ outputs, error }: Block): object[] {
  const last = outputs.at(-1);
  const written = last && "text" in last ? last.text.replace(/\n$/, "") : "";
  const raised = error?.traceback.join("\n");
  if (!error || !raised || !written.endsWith(raised)) return outputs.map(jupyterOutput);
  const { name: ename, message: evalue, traceback } = error;
  const text = written.slice(0, -raised.length);
  const before = [...outputs.slice(0, -1), ...(text ? [{ text }] : [])];
  return [...before.map(jupyterOutput), { output_type: "error", ename, evalue, traceback }];
}

/** How a block ended, in one word, where it says something. */
function statusOf({ state, status }: Block): string | undefined {
  return state === "declined" ? state : status;
}

function jupyterOutput(output: Output): object {
  return "text" in output
    ? { output_type: "stream", name: "stdout", text: output.text }
    : { output_type: "display_data", metadata: {}, data: output.display };
}

function toMarkdown(cells: Cells): string {
  return `${cells.map(section).join("\n\n")}\n`;
}

function section(cell: Cell): string {
  if (cell.kind !== "block") return quoted(cell);
  const status = statusOf(cell);
  const told = status ? [`${isFailed(cell) ? "✗" : "⊘"} *status: ${status}*`] : [];
  return [fence(cell.code, cell.language), ...cell.outputs.map(shown), ...told].join("\n\n");
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
