/** What the person has written in a conversation's notebook and not sent or run: kept when the notebook is saved. */

import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
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
    if (role === "thinking") continue;
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

/** Keeps drafts in files, one for each conversation that has some. */
export class DraftStore {
  constructor(private readonly folder: string) {}

  async read(conversation: string): Promise<Drafts> {
    const text = await readFile(this.path(conversation), "utf8").catch(() => undefined);
    return text === undefined ? NONE : (JSON.parse(text) as Drafts);
  }

  async write(conversation: string, drafts: Drafts): Promise<void> {
    const path = this.path(conversation);
    if (drafts.edits.length + drafts.added.length === 0) return rm(path, { force: true });
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    await writeFile(path, JSON.stringify(drafts), { mode: 0o600 });
  }

  private path(conversation: string): string {
    return join(this.folder, `${encodeURIComponent(conversation)}.json`);
  }
}
