import assert from "node:assert/strict";
import * as vscode from "vscode";

suite("a conversation's file", () => {
  const messages = [
    { role: "user", message: "Show\nit" },
    { role: "assistant", language: "shell", code: "echo it", output: "it" },
    { role: "assistant", message: "Shown." },
  ];

  test("opens as a notebook, and is written as it was read", async () => {
    const folder = vscode.workspace.workspaceFolders?.[0]?.uri as vscode.Uri;
    const file = vscode.Uri.joinPath(folder, "kept.oi");
    await vscode.workspace.fs.writeFile(file, Buffer.from(JSON.stringify(messages)));
    const notebook = await vscode.workspace.openNotebookDocument(file);
    const languages = notebook.getCells().map(({ document }) => document.languageId);
    assert.deepEqual(languages, ["markdown", "shellscript", "markdown"]);
    const edit = new vscode.WorkspaceEdit();
    edit.set(file, [vscode.NotebookEdit.updateCellMetadata(0, { role: "user", touched: true })]);
    await vscode.workspace.applyEdit(edit);
    await notebook.save();
    const written = Buffer.from(await vscode.workspace.fs.readFile(file)).toString();
    assert.deepEqual(JSON.parse(written), messages);
  });
});
