import assert from "node:assert/strict";
import * as vscode from "vscode";
import { code, Model, text, words } from "../editor/model";
import { cells, output, run, texts, until } from "./help";

suite("a conversation", () => {
  const model = new Model();
  const settings = () => vscode.workspace.getConfiguration("oi");

  suiteSetup(async () => {
    await model.start();
    await settings().update("apiBase", model.url, vscode.ConfigurationTarget.Workspace);
  });

  teardown(() => vscode.commands.executeCommand("workbench.action.closeAllEditors"));

  suiteTeardown(async () => {
    await settings().update("apiBase", undefined, vscode.ConfigurationTarget.Workspace);
    model.stop();
  });

  /** Give this answer whenever a block waits, until the turn is over. */
  async function answering(command: string, turn: Thenable<unknown>): Promise<void> {
    const over = Promise.resolve(turn).then(() => true);
    const later = () => new Promise((resolve) => setTimeout(resolve, 50));
    while (!(await Promise.race([over, later()]))) await run(command);
  }

  /** What the notebook's file holds. */
  async function content(uri: vscode.Uri): Promise<{ messages: Record<string, unknown>[]; drafts: unknown }> {
    return JSON.parse(Buffer.from(await vscode.workspace.fs.readFile(uri)).toString());
  }

  test("words, code and its output are cells of the notebook", async () => {
    model.replies(code("print('out' + 'put')"), words("That was all."));
    await answering("approve", run("chat", "Print it"));
    assert.deepEqual(texts(), ["> Print it", "print('out' + 'put')", "That was all."]);
    const block = cells()[1] as vscode.NotebookCell;
    assert.equal(block.document.languageId, "python");
    assert.equal(output(block), "output\n");
    assert.equal(block.executionSummary?.success, true);
  });

  test("a block that failed is shown as failed, and keeps its error", async () => {
    model.replies(code("1 / 0"), words("Sorry."));
    await answering("approve", run("chat", "Divide"));
    const block = cells()[1] as vscode.NotebookCell;
    assert.equal(block.executionSummary?.success, false);
    assert.equal(block.metadata.status, "error");
    assert.equal(block.metadata.error.name, "ZeroDivisionError");
  });

  test("Always: the next block is run without a question", async () => {
    model.replies(code("print(1)"), code("print(2)"), words("Both."));
    await answering("always", run("chat", "Print twice"));
    assert.deepEqual(cells().slice(1, 3).map(output), ["1\n", "2\n"]);
  });

  test("a cell that is changed runs again in the same interpreter", async () => {
    model.replies(code("x = 21"), words("Set."));
    await answering("approve", run("chat", "Set x"));
    const block = cells()[1] as vscode.NotebookCell;
    const edit = new vscode.WorkspaceEdit();
    edit.replace(block.document.uri, new vscode.Range(0, 0, 0, 6), "print(x * 2)");
    await vscode.workspace.applyEdit(edit);
    const ranges = [{ start: 1, end: 2 }];
    await vscode.commands.executeCommand("notebook.cell.execute", { ranges });
    await until(() => output(block) === "42\n");
    assert.equal(texts().length, 3);
  });

  test("a draft is kept when it is saved: a message, and the text of a cell that was edited", async () => {
    model.replies(code("x = 1"), words("Set."));
    await answering("approve", run("chat", "Set x"));
    await run("message");
    const notebook = vscode.window.activeNotebookEditor?.notebook as vscode.NotebookDocument;
    const [, block, , message] = cells() as [unknown, vscode.NotebookCell, unknown, vscode.NotebookCell];
    const edit = new vscode.WorkspaceEdit();
    edit.insert(block.document.uri, new vscode.Position(0, 5), "00");
    edit.insert(message.document.uri, new vscode.Position(0, 0), "And then");
    await vscode.workspace.applyEdit(edit);
    assert.equal(notebook.isDirty, true);
    await notebook.save();
    assert.equal(notebook.isDirty, false);
    const { messages, drafts } = await content(notebook.uri);
    assert.equal(messages[1]?.code, "x = 1");
    assert.deepEqual(drafts, {
      edits: [{ source: "x = 1", text: "x = 100" }],
      added: [{ after: 3, kind: vscode.NotebookCellKind.Code, language: "oi-message", text: "And then" }],
    });
  });

  test("a block that was skipped is declined, also in what is stored", async () => {
    model.replies(code("x = 1"), words("Not set."));
    await answering("skip", run("chat", "Set x"));
    assert.equal(cells()[1]?.metadata.state, "declined");
    const { messages } = await content((cells()[1] as vscode.NotebookCell).notebook.uri);
    assert.equal(messages[1]?.status, "declined");
  });

  test("cells that an undo of the editor brings back are no part of the conversation, and copies are drafts", async () => {
    model.replies(code("x = 1"), words("Set."));
    await answering("approve", run("chat", "Set x"));
    const [, block] = cells() as [unknown, vscode.NotebookCell];
    const copy = new vscode.NotebookCellData(vscode.NotebookCellKind.Code, "x = 1", "python");
    copy.metadata = block.metadata;
    const ghost = new vscode.NotebookCellData(vscode.NotebookCellKind.Markup, "Taken back.", "markdown");
    ghost.metadata = { role: "assistant", source: "Taken back." };
    const edit = new vscode.WorkspaceEdit();
    edit.set(block.notebook.uri, [vscode.NotebookEdit.insertCells(3, [copy, ghost])]);
    await vscode.workspace.applyEdit(edit);
    await until(() => texts().length === 4 && cells()[3]?.metadata.state === undefined);
    assert.deepEqual(texts(), ["> Set x", "x = 1", "Set.", "x = 1"]);
  });

  test("five thousand tokens: the notebook holds every one", async () => {
    const tokens = Array.from({ length: 5000 }, (_, i) => (i % 50 === 49 ? `t${i}\n\n` : `t${i} `));
    model.replies(text(...tokens));
    await run("chat", "Write a lot");
    assert.equal(texts().at(-1), tokens.join(""));
  });

  test("a setting reaches the model with the next question", async () => {
    await settings().update("temperature", 0.7, vscode.ConfigurationTarget.Workspace);
    model.replies(words("Warm."));
    await run("chat", "How warm?");
    await settings().update("temperature", undefined, vscode.ConfigurationTarget.Workspace);
    assert.equal(model.requests.at(-1)?.body.temperature, 0.7);
  });
});
