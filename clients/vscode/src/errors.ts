/** What went wrong, in words for a person, with what can be done about it. */

import * as vscode from "vscode";
import { ResponseError } from "vscode-jsonrpc/node";

export function explain(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Tell the person; a button leads to what helps. */
export async function tell(error: unknown): Promise<void> {
  const kind =
    error instanceof ResponseError ? (error.data as { kind?: string } | undefined)?.kind : undefined;
  const [label, command] = help(kind);
  const chosen = await vscode.window.showErrorMessage(explain(error), label);
  if (chosen) await vscode.commands.executeCommand(command);
}

/** What helps: a button and the command behind it, by the error's kind on the wire. */
function help(kind: string | undefined): readonly [label: string, command: string] {
  const { t } = vscode.l10n;
  if (kind === "auth") return [t("Set API Key"), "oi.setApiKey"];
  if (kind === "no_model") return [t("Choose Model"), "oi.chooseModel"];
  return [t("Show Log"), "oi.showLog"];
}
