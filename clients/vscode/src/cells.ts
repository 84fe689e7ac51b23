/** Cells as a notebook holds them, and back. */

import * as vscode from "vscode";
import { thought } from "./activity";
import { type Block, type Bundle, type Cell, joined, type Output, type Thinking } from "./fold";
import { toDaemon, toEditor } from "./languages";
import { type Executions, linked } from "./traceback";

export const NOTEBOOK = "oi-conversation";
/** The language of a cell in which the person writes a message. */
export const MESSAGE = "oi-message";

/** Characters of thinking that goes on which are shown. */
const LAST_WORDS = 160;

const { stdout, error: failed } = vscode.NotebookCellOutputItem;

export function dataOf(cell: Cell): vscode.NotebookCellData {
  const isCode = cell.kind === "block";
  const data = new vscode.NotebookCellData(
    isCode ? vscode.NotebookCellKind.Code : vscode.NotebookCellKind.Markup,
    sourceOf(cell),
    isCode ? toEditor(cell.language) : "markdown",
  );
  data.metadata = metadataOf(cell);
  if (isCode) data.outputs = cell.outputs.map((output) => outputOf(output));
  if (isCode && cell.state === "ended" && cell.status !== "interrupted")
    data.executionSummary = { success: !isFailed(cell) };
  return data;
}

/** What the notebook keeps of a cell beside its text and outputs. Cells that the person adds have none of it. */
export function metadataOf(cell: Cell): Metadata {
  const source = sourceOf(cell);
  if (cell.kind === "block") return { state: cell.state, source, status: cell.status, error: cell.error };
  if (cell.kind === "thinking") return { role: "thinking", source, text: cell.text };
  return { role: cell.role, source };
}

export interface Metadata {
  /** Of a block: its state. */
  readonly state?: Block["state"];
  /** Of a block: how it ended, where it says something. */
  readonly status?: Block["status"];
  readonly error?: Block["error"];
  /** Of other cells: who wrote it. */
  readonly role?: "user" | "assistant" | "thinking";
  /** The text of the cell in the conversation. The person may have edited it since. */
  readonly source?: string;
  /** Of thinking: all of it. */
  readonly text?: string;
}

/** The text in the cell's editor. The person's messages are quoted, to distinguish them from the model's. */
export function sourceOf(cell: Cell): string {
  if (cell.kind === "block") return clean(cell.code);
  if (cell.kind === "thinking") return shownThinking(cell);
  return cell.role === "user" ? clean(cell.text).replaceAll(/^/gm, "> ") : clean(cell.text);
}

/** Thinking as Markdown: its last words while it goes on, later all of it, folded. */
function shownThinking({ text, seconds }: Thinking): string {
  const safe = clean(text).replaceAll(/<(?=[a-z/!?])/gi, "<\u200b"); // no HTML but ours
  if (seconds === undefined) {
    const words = safe.replaceAll(/[*`#\s]+/g, " ").trim();
    const last = words.length > LAST_WORDS ? `…${words.slice(-LAST_WORDS)}` : words;
    return `<small style="opacity: 0.7">${last}</small>`;
  }
  const summary = `<summary><small style="opacity: 0.7">${thought(vscode.l10n.t, seconds)}</small></summary>`;
  return `<details style="opacity: 0.8">${summary}\n\n${safe.trim()}\n\n</details>`;
}

/** @param executions The blocks that a traceback may name. */
export function outputOf(output: Output, executions?: Executions): vscode.NotebookCellOutput {
  if ("display" in output) return new vscode.NotebookCellOutput(Object.entries(output.display).map(item));
  const { text, isEcho, error } = output;
  if (!error) return new vscode.NotebookCellOutput([stdout(text)], { isEcho });
  const { name, message, traceback } = error;
  const stack = linked(traceback, executions).join("\n");
  return new vscode.NotebookCellOutput([failed({ name, message, stack })], { text, error });
}

/** The cell of the conversation that a notebook's cell holds. */
export function cellOf(data: vscode.NotebookCellData): Cell {
  const { role, state, text, status, error }: Metadata = data.metadata ?? {};
  if (data.languageId === MESSAGE) return { kind: "words", role: "user", text: data.value };
  if (data.kind === vscode.NotebookCellKind.Code) {
    const outputs = (data.outputs ?? []).map(fromNotebook);
    const language = toDaemon(data.languageId);
    return {
      kind: "block",
      language,
      code: data.value,
      outputs,
      state: state ?? "interrupted",
      status,
      error,
    };
  }
  if (role === "thinking") return { kind: "thinking", text: text ?? "", began: 0, seconds: 0 };
  return role === "user"
    ? { kind: "words", role, text: data.value.replaceAll(/^> ?/gm, "") }
    : { kind: "words", role: "assistant", text: data.value };
}

/** A cell of an open notebook as data. */
export function dataFrom({
  kind,
  document,
  metadata,
  outputs,
}: vscode.NotebookCell): vscode.NotebookCellData {
  const data = new vscode.NotebookCellData(kind, document.getText(), document.languageId);
  return Object.assign(data, { metadata, outputs: [...outputs] });
}

/** Whether this cell's block was declined, and has not run since. */
export function isDeclined({ metadata }: vscode.NotebookCell): boolean {
  return (metadata as Metadata).state === "declined";
}

/** Whether a block is shown as one that has failed. */
export function isFailed({ status }: Block): boolean {
  return status === "error" || status === "killed";
}

function fromNotebook({ items, metadata }: vscode.NotebookCellOutput): Output {
  const first = items[0];
  if (metadata?.error) return { text: metadata.text, error: metadata.error };
  if (metadata?.isEcho && first) return { text: Buffer.from(first.data).toString(), isEcho: true };
  if (first?.mime === stdout("").mime) return { text: Buffer.from(first.data).toString() };
  return { display: Object.fromEntries(items.map(({ mime, data }) => [mime, encode(mime, data)])) };
}

function item([mime, value]: [string, Bundle[string]]): vscode.NotebookCellOutputItem {
  const text = typeof value === "object" && !Array.isArray(value) ? JSON.stringify(value) : joined(value);
  return new vscode.NotebookCellOutputItem(Buffer.from(text, isBinary(mime) ? "base64" : "utf8"), mime);
}

function encode(mime: string, data: Uint8Array): string {
  return Buffer.from(data).toString(isBinary(mime) ? "base64" : "utf8");
}

function isBinary(mime: string): boolean {
  return /^(image|audio|video)\//.test(mime) && mime !== "image/svg+xml";
}

/** The text with the one kind of line ending that editors have. */
function clean(text: string): string {
  return text.replaceAll(/\r\n?/g, "\n");
}
