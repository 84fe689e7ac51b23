/** Brings a notebook in line with its conversation. What is the same already stays as it is, with all that it shows. */

import * as vscode from "vscode";
import { cellOf, dataFrom, dataOf, type Metadata, sourceOf } from "./cells";
import { draftsOf, withDrafts } from "./drafts";
import { type Cell, type Cells, messagesOf } from "./fold";

/** What is left over when a notebook shows the settled cells of its conversation. */
export interface Rest {
  /** The notebook's cell that shows the first of the open cells already, perhaps as the person has edited it. */
  readonly open: vscode.NotebookCell | undefined;
}

/**
 * Show these cells, and the person's drafts among them.
 * @param next The cell that follows on them, of a turn under way.
 */
export async function reconcile(
  notebook: vscode.NotebookDocument,
  wanted: Cells,
  next?: Cell,
): Promise<Rest> {
  const ours = notebook.getCells().filter(isOurs);
  const { kept, count } = same(ours, wanted);
  const rest = ours.filter((cell) => !kept.has(cell));
  const open = count === wanted.length ? rest.find((cell) => next && isSameCode(cell, next)) : undefined;
  const gone = rest.filter((cell) => cell !== open);
  const { edits } = draftsOf(gone.map(dataFrom));
  const added = withDrafts(wanted.slice(count).map(dataOf), { edits, added: [] });
  const last = ours.findLast((cell) => kept.has(cell));
  const changes = [
    ...gone.map(({ index }) => vscode.NotebookEdit.deleteCells(new vscode.NotebookRange(index, index + 1))),
    ...(added.length > 0 ? [vscode.NotebookEdit.insertCells(last ? last.index + 1 : 0, added)] : []),
  ];
  if (changes.length > 0) {
    const edit = new vscode.WorkspaceEdit();
    edit.set(notebook.uri, changes);
    await vscode.workspace.applyEdit(edit);
  }
  return { open };
}

/** Whether a cell shows something of the conversation; otherwise it is the person's draft. */
export function isOurs({ metadata }: vscode.NotebookCell): boolean {
  const { state, role }: Metadata = metadata;
  return Boolean(state || role);
}

/** Make copies of the conversation's cells the person's own. */
export async function disown(
  notebook: vscode.NotebookDocument,
  added: readonly vscode.NotebookCell[],
): Promise<void> {
  const others = notebook.getCells().filter((cell) => isOurs(cell) && !added.includes(cell));
  const isCopy = (cell: vscode.NotebookCell) =>
    others.some(
      ({ metadata, kind }) => kind === cell.kind && (metadata as Metadata).source === cell.metadata.source,
    );
  const copies = added.filter((cell) => cell.index >= 0 && isCopy(cell));
  if (copies.length === 0) return;
  const edit = new vscode.WorkspaceEdit();
  edit.set(
    notebook.uri,
    copies.map(({ index }) => vscode.NotebookEdit.updateCellMetadata(index, {})),
  );
  await vscode.workspace.applyEdit(edit);
}

/** The cells of the notebook that show the first of the wanted cells, and how many these are. Thinking between them is kept. */
function same(ours: readonly vscode.NotebookCell[], wanted: Cells) {
  const kept = new Set<vscode.NotebookCell>();
  let count = 0;
  for (const cell of ours) {
    const { role }: Metadata = cell.metadata;
    if (role !== "thinking") {
      const next = wanted[count];
      if (!next || !isSame(cell, next)) break;
      count++;
    }
    kept.add(cell);
  }
  return { kept, count };
}

/** Whether a notebook's cell shows this cell of the conversation. It may show more than what is stored of it. */
function isSame(at: vscode.NotebookCell, cell: Cell): boolean {
  const data = dataFrom(at);
  const shown = cellOf({ ...data, value: (at.metadata as Metadata).source ?? data.value });
  return stored(shown) === stored(cell);
}

function stored(cell: Cell): string {
  const [message] = messagesOf([cell]);
  return JSON.stringify({ ...message, displays: undefined });
}

function isSameCode({ document, metadata }: vscode.NotebookCell, cell: Cell): boolean {
  return cell.kind === "block" && ((metadata as Metadata).source ?? document.getText()) === sourceOf(cell);
}
