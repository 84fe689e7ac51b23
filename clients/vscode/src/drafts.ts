/** What the person has written in a conversation's notebook and not sent or run: kept when the notebook is saved. */

import * as vscode from "vscode";
import type { Metadata } from "./cells";

/** The drafts of one conversation. */
export interface Drafts {
  /** Cells of the conversation with another text: that of the conversation, and the person's. */
  readonly edits: readonly { readonly source: string; readonly text: string }[];
  /** Cells that the person has added, each with the number of the conversation's cells before it. */
  readonly added: readonly Added[];
}

interface Added {
  readonly after: number;
  readonly kind: vscode.NotebookCellKind;
  readonly language: string;
  readonly text: string;
}

export const NONE: Drafts = { edits: [], added: [] };

/** The drafts in a notebook. */
export function draftsOf(cells: readonly vscode.NotebookCellData[]): Drafts {
  const edits: Drafts["edits"][number][] = [];
  const added: Added[] = [];
  let after = 0;
  for (const { kind, languageId, metadata, value } of cells) {
    const { state, role, source }: Metadata = metadata ?? {};
    if (role === "failure") continue;
    if (state || role) {
      after++;
      if (source !== undefined && source !== value) edits.push({ source, text: value });
    } else if (value.trim()) {
      added.push({ after, kind, language: languageId, text: value });
    }
  }
  return { edits, added };
}

/** A conversation's cells with the drafts in them. A draft of a cell that is no longer there is left out. */
export function withDrafts(cells: readonly vscode.NotebookCellData[], { edits, added }: Drafts) {
  const shown = [...cells];
  const pending = [...edits];
  for (const cell of shown) {
    const at = pending.findIndex(({ source }) => source === (cell.metadata as Metadata).source);
    if (at >= 0) cell.value = (pending.splice(at, 1)[0] as Drafts["edits"][number]).text;
  }
  for (const { after, kind, language, text } of added.toReversed())
    shown.splice(Math.min(after, cells.length), 0, new vscode.NotebookCellData(kind, text, language));
  return shown;
}
