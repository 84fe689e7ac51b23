/** Errors in words for a person, with a button that leads to a remedy. */

import * as vscode from "vscode";
import { ResponseError } from "vscode-jsonrpc/node";

export function explain(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Show an error. */
export async function showError(error: unknown): Promise<void> {
  const kind =
    error instanceof ResponseError ? (error.data as { kind?: string } | undefined)?.kind : undefined;
  const [label, command] = remedy(kind);
  const chosen = await vscode.window.showErrorMessage(explain(error), label);
  if (chosen) await vscode.commands.executeCommand(command);
}

/** A button and its command, by the error's kind on the wire. */
function remedy(kind: string | undefined): readonly [label: string, command: string] {
  const { t } = vscode.l10n;
  if (kind === "auth") return [t("Set API Key"), "oi.setApiKey"];
  if (kind === "no_model") return [t("Choose Model"), "oi.chooseModel"];
  return [t("Show Log"), "oi.showLog"];
}
