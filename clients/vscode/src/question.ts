/** A question that was not answered: kept in a cell, with the reason under it and buttons that lead on. */

import * as vscode from "vscode";
import { MESSAGE } from "./cells";
import { explain, kindOf } from "./errors";

/** What is noted in the metadata of such a cell. */
export interface Unanswered {
  /** The error's kind, a word. */
  readonly unanswered?: string;
}

/** Keep what was asked in a message cell, to be sent again. */
export async function keepQuestion(notebook: vscode.NotebookDocument, question: string): Promise<void> {
  await append(notebook, cell(question));
}

/**
 * Show why a question was not answered.
 * @param question What was asked; empty, if there is an answer up to the error.
 */
export async function reportFailure(
  notebook: vscode.NotebookDocument,
  question: string,
  error: unknown,
): Promise<void> {
  const kept = cell(question);
  const shown = vscode.NotebookCellOutputItem.error({ name: "", message: explain(error) });
  kept.outputs = [new vscode.NotebookCellOutput([shown])];
  kept.executionSummary = { success: false };
  kept.metadata = { unanswered: kindOf(error) ?? "error" } satisfies Unanswered;
  await append(notebook, kept);
}

/** Remove the reports of failures, but none with another question than the one that is asked now. */
export async function forgetFailures(notebook: vscode.NotebookDocument, asked: string): Promise<void> {
  const gone = notebook.getCells().filter((each) => {
    const text = each.document.getText().trim();
    return isUnanswered(each) && (text === "" || text === asked.trim());
  });
  await change(
    notebook,
    gone.map(({ index }) => vscode.NotebookEdit.deleteCells(new vscode.NotebookRange(index, index + 1))),
  );
}

export function isUnanswered({ metadata }: vscode.NotebookCell): boolean {
  return Boolean((metadata as Unanswered).unanswered);
}

function cell(question: string): vscode.NotebookCellData {
  return new vscode.NotebookCellData(vscode.NotebookCellKind.Code, question, MESSAGE);
}

async function append(notebook: vscode.NotebookDocument, data: vscode.NotebookCellData): Promise<void> {
  await change(notebook, [vscode.NotebookEdit.insertCells(notebook.cellCount, [data])]);
}

async function change(notebook: vscode.NotebookDocument, edits: vscode.NotebookEdit[]): Promise<void> {
  if (edits.length === 0 || notebook.isClosed) return;
  const edit = new vscode.WorkspaceEdit();
  edit.set(notebook.uri, edits);
  await vscode.workspace.applyEdit(edit);
}
