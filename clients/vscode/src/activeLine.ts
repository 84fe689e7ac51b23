/** Marks the line that runs, in its cell and in the margin. */

import * as vscode from "vscode";
import type { Conversations } from "./conversations";

export class ActiveLine implements vscode.Disposable {
  private readonly scope: vscode.Disposable[];
  private readonly decoration: vscode.TextEditorDecorationType;
  private marked = new Set<vscode.TextEditor>();

  constructor(
    private readonly conversations: Conversations,
    icon: vscode.Uri,
  ) {
    this.decoration = vscode.window.createTextEditorDecorationType({
      backgroundColor: new vscode.ThemeColor("editor.stackFrameHighlightBackground"),
      isWholeLine: true,
      gutterIconPath: icon,
      gutterIconSize: "contain",
      overviewRulerColor: new vscode.ThemeColor("editor.stackFrameHighlightBackground"),
    });
    this.scope = [
      this.decoration,
      conversations.onChange(() => this.mark()),
      vscode.window.onDidChangeVisibleTextEditors(() => this.mark()),
    ];
  }

  dispose(): void {
    vscode.Disposable.from(...this.scope).dispose();
  }

  private mark(): void {
    const lines = new Map<vscode.TextDocument, number>();
    this.conversations.each(({ running }) => {
      if (running?.block.activeLine) lines.set(running.cell.document, running.block.activeLine);
    });
    const visible = vscode.window.visibleTextEditors.filter(({ document }) => lines.has(document));
    for (const editor of this.marked)
      if (!visible.includes(editor)) editor.setDecorations(this.decoration, []);
    for (const editor of visible) {
      const line = Math.min(lines.get(editor.document) as number, editor.document.lineCount) - 1;
      editor.setDecorations(this.decoration, [editor.document.lineAt(line).range]);
    }
    this.marked = new Set(visible);
  }
}
