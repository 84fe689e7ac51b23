/** A conversation as a Jupyter notebook, or as Markdown. */

import * as vscode from "vscode";
import { cellOf, dataFrom } from "./cells";
import type { Conversation } from "./conversation";
import type { Cell, Cells, Output } from "./fold";

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
  const outputs = cell.outputs.map(jupyterOutput);
  const metadata = cell.state === "declined" ? { tags: ["declined"], oi: { status: "declined" } } : {};
  return { id, cell_type: "code", metadata, execution_count: null, source: magic + cell.code, outputs };
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
  const status = cell.state === "declined" ? ["⊘ *status: declined*"] : [];
  return [fence(cell.code, cell.language), ...status, ...cell.outputs.map(shown)].join("\n\n");
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
