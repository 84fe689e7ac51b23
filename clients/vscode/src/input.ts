/** The box in which the person answers code that asks for input. */

import * as vscode from "vscode";
import type { WaitingInput } from "./protocol";

export class InputBox {
  private id: string | undefined;
  private closing = new vscode.CancellationTokenSource();

  /** What the person types; null if they close the box, undefined if it was closed because there is an answer. */
  async ask({ id, prompt, password }: WaitingInput): Promise<string | null | undefined> {
    this.close();
    this.id = id;
    this.closing = new vscode.CancellationTokenSource();
    const { token } = this.closing;
    const options = {
      title: vscode.l10n.t("The code asks for input"),
      prompt: prompt.trim() || vscode.l10n.t("A line of text, please."),
      password,
      ignoreFocusOut: true,
    };
    const value = await vscode.window.showInputBox(options, token);
    return token.isCancellationRequested ? undefined : (value ?? null);
  }

  /** Close the box that asks for this input, or whichever is open. */
  close(id = this.id): void {
    if (id === this.id) this.closing.cancel();
  }
}

/** The line that a terminal would show of it. */
export function trace({ prompt, password }: WaitingInput, value: string | null): string {
  return `${prompt}${value === null ? "^D" : password ? "•".repeat(5) : value}\n`;
}
