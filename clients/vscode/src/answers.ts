/** What is shown under a cell: the answers for code that waits, a mark of how it ended, or ways on after an error. */

import * as vscode from "vscode";
import { isDeclined, MESSAGE, type Metadata, NOTEBOOK } from "./cells";
import type { Conversations } from "./conversations";
import { type Remedy, remediesOf } from "./errors";
import type { Unanswered } from "./question";

export class Answers implements vscode.NotebookCellStatusBarItemProvider, vscode.Disposable {
  private readonly changes = new vscode.EventEmitter<void>();
  readonly onDidChangeCellStatusBarItems = this.changes.event;
  private readonly scope: vscode.Disposable[];

  constructor(private readonly conversations: Conversations) {
    this.scope = [
      conversations.onChange(() => this.changes.fire()),
      vscode.notebooks.registerNotebookCellStatusBarItemProvider(NOTEBOOK, this),
    ];
  }

  provideCellStatusBarItems(cell: vscode.NotebookCell): vscode.NotebookCellStatusBarItem[] {
    const { t } = vscode.l10n;
    const { unanswered }: Unanswered = cell.metadata;
    if (unanswered) return [retry(), ...remediesOf(unanswered).map(remedy)];
    if (cell.document.languageId === MESSAGE)
      return [item(`$(send) ${t("Send")}`, "oi.send", t("Send this message (Ctrl+Enter)"))];
    if (isDeclined(cell)) return [item(`⊘ ${t("Declined")}`, "", t("This block was not run"))];
    const { status }: Metadata = cell.metadata;
    if (status === "interrupted")
      return [item(`⊘ ${t("Interrupted")}`, "", t("This block was stopped before its end"))];
    if (status === "killed")
      return [item(`✗ ${t("Process ended")}`, "", t("The process of this block's language ended"))];
    if (this.conversations.of(cell.notebook).waiting !== cell) return [];
    return [
      item(`$(play) ${t("Run")}`, "oi.approve", t("Run the code as it is here")),
      item(`$(edit) ${t("Edit and Run")}`, "oi.edit", t("Change the code, then run it")),
      item(`$(debug-step-over) ${t("Skip")}`, "oi.skip", t("Do not run it, and tell the model so")),
      item(`$(debug-stop) ${t("Stop")}`, "oi.stop", t("Do not run it, and end the turn")),
      item(`$(run-all) ${t("Always")}`, "oi.always", t("Run this and all later code of this conversation")),
    ];
  }

  dispose(): void {
    vscode.Disposable.from(...this.scope, this.changes).dispose();
  }
}

function retry(): vscode.NotebookCellStatusBarItem {
  return item(`$(refresh) ${vscode.l10n.t("Retry")}`, "oi.send", vscode.l10n.t("Ask again"));
}

function remedy({ label, command }: Remedy): vscode.NotebookCellStatusBarItem {
  return item(label, command, label);
}

function item(text: string, command: string, tooltip: string): vscode.NotebookCellStatusBarItem {
  const shown = new vscode.NotebookCellStatusBarItem(text, vscode.NotebookCellStatusBarAlignment.Left);
  if (command) shown.command = command;
  shown.tooltip = tooltip;
  shown.accessibilityInformation = { label: `${text.replace(/\$\([\w~-]+\) /, "")}: ${tooltip}` };
  return shown;
}
