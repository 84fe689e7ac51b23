/** What went wrong, in words for a person, with what can be done about it. */

import * as vscode from "vscode";
import { ResponseError } from "vscode-jsonrpc/node";

/** What helps: the command behind a button, by the error's kind on the wire. */
const HELP: Record<string, { readonly command: string; readonly label: string }> = {
  auth: { command: "oi.setApiKey", label: "Set API Key" },
  no_model: { command: "oi.chooseModel", label: "Choose Model" },
};

export function explain(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Tell the person; a button leads to what helps. */
export async function tell(error: unknown): Promise<void> {
  const kind =
    error instanceof ResponseError ? (error.data as { kind?: string } | undefined)?.kind : undefined;
  const help = HELP[kind ?? ""] ?? { command: "oi.showLog", label: "Show Log" };
  const label = vscode.l10n.t(help.label);
  const chosen = await vscode.window.showErrorMessage(explain(error), label);
  if (chosen) await vscode.commands.executeCommand(help.command);
}
