/** Puts the cursor into a cell. */

import * as vscode from "vscode";

export async function enter(cell: vscode.NotebookCell): Promise<void> {
  const editor = await vscode.window.showNotebookDocument(cell.notebook);
  editor.selection = new vscode.NotebookRange(cell.index, cell.index + 1);
  editor.revealRange(editor.selection);
  // Without "quitEdit", "edit" moves the focus of a cell that is being edited to the list of cells.
  await vscode.commands.executeCommand("notebook.cell.quitEdit");
  await vscode.commands.executeCommand("notebook.cell.edit");
}
