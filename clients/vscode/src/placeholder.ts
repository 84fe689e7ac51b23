/** What an empty message cell says. */

import * as vscode from "vscode";
import { MESSAGE } from "./cells";

export class Placeholder implements vscode.Disposable {
  private readonly decoration = vscode.window.createTextEditorDecorationType({
    after: {
      color: new vscode.ThemeColor("editorGhostText.foreground"),
      contentText: vscode.l10n.t("What do you want to do? @ takes a file along, # the selection."),
    },
  });
  private readonly scope = vscode.Disposable.from(
    this.decoration,
    vscode.window.onDidChangeVisibleTextEditors(() => this.show()),
    vscode.workspace.onDidChangeTextDocument(({ document }) => {
      if (document.languageId === MESSAGE) this.show();
    }),
  );

  constructor() {
    this.show();
  }

  dispose(): void {
    this.scope.dispose();
  }

  private show(): void {
    for (const editor of vscode.window.visibleTextEditors) {
      const { document } = editor;
      if (document.languageId !== MESSAGE) continue;
      const isEmpty = document.getText() === "";
      editor.setDecorations(this.decoration, isEmpty ? [new vscode.Range(0, 0, 0, 0)] : []);
    }
  }
}
