/** What a person must know now, apart from the conversation: each notice once, and none on top of many others. */

import * as vscode from "vscode";
import type { Chunk } from "./protocol";
import { inEditorsWords } from "./wording";

type Notice = Extract<Chunk, { notice: unknown }>["notice"];

/** Texts that are shown and that nobody has closed yet. */
const shown = new Set<string>();

/** Show a notice. A retry, and what is loaded, belong to the state and are shown with it. */
export function showNotice({ kind, message }: Notice): void {
  if (kind === "retry" || kind === "loading" || shown.has(message)) return;
  const isWarning = kind === "save" || kind === "limit";
  const text = inEditorsWords(message);
  shown.add(message);
  const closed = isWarning
    ? vscode.window.showWarningMessage(text)
    : vscode.window.showInformationMessage(text);
  const forget = () => shown.delete(message);
  closed.then(forget, forget);
}
