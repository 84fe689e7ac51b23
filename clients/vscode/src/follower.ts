/** Keeps the newest cell of a conversation in view, until the person scrolls away from it. */

import * as vscode from "vscode";

/** Milliseconds after which the cell is revealed again, because VS Code learns its height late. */
const AGAIN = [60, 150, 300, 600, 1000, 2000];

export class Follower implements vscode.Disposable {
  /** Notebooks in which the person has scrolled away from the end. */
  private readonly left = new WeakSet<vscode.NotebookDocument>();
  /** Index of the newest cell of each notebook. */
  private readonly ends = new WeakMap<vscode.NotebookDocument, number>();
  private readonly timers = new Map<vscode.NotebookDocument, NodeJS.Timeout>();
  /** Index of the first visible cell of each notebook. */
  private readonly starts = new WeakMap<vscode.NotebookDocument, number>();
  private readonly scope = vscode.window.onDidChangeNotebookEditorVisibleRanges(
    ({ notebookEditor: { notebook }, visibleRanges }) => {
      const end = this.ends.get(notebook);
      const start = visibleRanges[0]?.start ?? 0;
      const before = this.starts.get(notebook) ?? 0;
      this.starts.set(notebook, start);
      if (end === undefined) return;
      // What grows late pushes the newest cell out of view, too; only a person goes back to earlier ones.
      if (visibleRanges.some((range) => range.end >= end)) this.left.delete(notebook);
      else if (start < before) this.left.add(notebook);
      else if (end < notebook.cellCount) this.revealNext(notebook.cellAt(end), AGAIN);
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
