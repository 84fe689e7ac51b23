/** Keeps the newest cell of a conversation in view, until the person scrolls away from it. */

import * as vscode from "vscode";

/** Milliseconds after which the cell is revealed again, because VS Code learns its height late. */
const AGAIN = [60, 150, 300, 600, 1000];

export class Follower implements vscode.Disposable {
  /** Notebooks in which the person has scrolled away from the end. */
  private readonly left = new WeakSet<vscode.NotebookDocument>();
  /** Index of the newest cell of each notebook. */
  private readonly ends = new WeakMap<vscode.NotebookDocument, number>();
  private readonly timers = new Map<vscode.NotebookDocument, NodeJS.Timeout>();
  private readonly scope = vscode.window.onDidChangeNotebookEditorVisibleRanges(
    ({ notebookEditor, visibleRanges }) => {
      const end = this.ends.get(notebookEditor.notebook);
      if (end === undefined) return;
      const isThere = visibleRanges.some((range) => range.end >= end);
      if (isThere) this.left.delete(notebookEditor.notebook);
      else this.left.add(notebookEditor.notebook);
    },
  );

  follow(cell: vscode.NotebookCell): void {
    this.ends.set(cell.notebook, cell.index);
    this.revealNext(cell, AGAIN);
  }

  dispose(): void {
    this.timers.forEach(clearTimeout);
    this.scope.dispose();
  }

  /** Reveal the cell now, and again after these delays, unless a newer one is followed by then. */
  private revealNext(cell: vscode.NotebookCell, [delay, ...later]: readonly number[], past = 0): void {
    const { notebook } = cell;
    clearTimeout(this.timers.get(notebook));
    this.timers.delete(notebook);
    if (cell.index < 0 || this.left.has(notebook)) return;
    const range = new vscode.NotebookRange(cell.index, cell.index + 1);
    for (const editor of vscode.window.visibleNotebookEditors) {
      if (editor.notebook === notebook) editor.revealRange(range, vscode.NotebookEditorRevealType.Default);
    }
    if (delay === undefined) return;
    this.timers.set(
      notebook,
      setTimeout(() => this.revealNext(cell, later, delay), delay - past),
    );
  }
}
