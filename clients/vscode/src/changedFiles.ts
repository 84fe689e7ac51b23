/** What code has done to files: shown in the editor's own differ, and undone. */

import * as vscode from "vscode";
import type { Daemon } from "./daemon";
import type { FileDiff } from "./protocol";

const SCHEME = "oi-changed-file";

/** Serves the texts of files before and after a block. */
export class ChangedFiles implements vscode.TextDocumentContentProvider, vscode.Disposable {
  /** The texts that were shown, by their addresses. */
  private readonly texts = new Map<string, string>();
  private readonly registration = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  private shown = 0;

  constructor(private readonly daemon: Daemon) {}

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.toString()) ?? "";
  }

  /** Let the person choose a file that the latest turn has changed, and show the difference. */
  async show(conversation: string): Promise<void> {
    const { files } = await this.daemon.request("oi/files/diff", { conversation });
    if (!files.length) {
      void vscode.window.showInformationMessage(
        vscode.l10n.t("Code has changed no files, or all of it is undone."),
      );
      return;
    }
    const items = files.map((file) => ({ label: file.file.path, description: file.file.change, file }));
    const chosen = await vscode.window.showQuickPick(items, { title: vscode.l10n.t("Changed Files") });
    if (chosen) await this.open(chosen.file);
  }

  /** Undo what the latest turn has done to files, and offer to take that back. */
  async undo(conversation: string, redo = false): Promise<void> {
    const { files, refused } = await this.daemon.request("oi/files/undo", { conversation, redo });
    const words = [
      ...(files.length ? [vscode.l10n.t("{0} changed files were put back.", files.length)] : []),
      ...refused.map(({ path, why }) => vscode.l10n.t("{0} stays as it is: {1}.", path, why)),
    ];
    const again = redo ? [] : [vscode.l10n.t("Redo")];
    const text = words.join(" ") || vscode.l10n.t("There is nothing to undo.");
    const answer = await vscode.window.showInformationMessage(text, ...(files.length ? again : []));
    if (answer) await this.undo(conversation, true);
  }

  dispose(): void {
    this.registration.dispose();
  }

  private async open({ file, before, after, text }: FileDiff): Promise<void> {
    if (!text) {
      void vscode.window.showInformationMessage(
        vscode.l10n.t("{0} ({1}) is no text that can be shown.", file.path, file.change),
      );
      return;
    }
    this.shown += 1;
    const [left, right] = [this.keep("before", file.path, before), this.keep("after", file.path, after)];
    await vscode.commands.executeCommand("vscode.diff", left, right, `${file.path} (${file.change})`);
  }

  private keep(side: string, path: string, text?: string | null): vscode.Uri {
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${path}`, query: `${side}-${this.shown}` });
    this.texts.set(uri.toString(), text ?? "");
    return uri;
  }
}
