/** Keeps the newest cell of a conversation in view, until the person scrolls away from it. */

import * as vscode from "vscode";

export class Follower implements vscode.Disposable {
  /** Notebooks in which the person has scrolled away from the end. */
  private readonly left = new WeakSet<vscode.NotebookDocument>();
  /** Index of the newest cell of each notebook. */
  private readonly ends = new WeakMap<vscode.NotebookDocument, number>();
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
    const { notebook, index } = cell;
    const range = new vscode.NotebookRange(index, index + 1);
    for (const editor of vscode.window.visibleNotebookEditors) {
      if (editor.notebook !== notebook || this.left.has(notebook)) continue;
      editor.revealRange(range, vscode.NotebookEditorRevealType.Default);
    }
    this.ends.set(notebook, index);
  }

  dispose(): void {
    this.scope.dispose();
  }
}
