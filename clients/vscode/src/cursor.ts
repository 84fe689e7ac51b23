/** Puts the cursor into a cell. */

import * as vscode from "vscode";

export async function enter(cell: vscode.NotebookCell): Promise<void> {
  const editor = await vscode.window.showNotebookDocument(cell.notebook);
  editor.selection = new vscode.NotebookRange(cell.index, cell.index + 1);
  editor.revealRange(editor.selection);
  // A cell that is being edited already would lose the focus to the list of cells by "edit" alone.
  await vscode.commands.executeCommand("notebook.cell.quitEdit");
  await vscode.commands.executeCommand("notebook.cell.edit");
}
