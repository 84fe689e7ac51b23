/** Errors in words for a person, with buttons that lead to a remedy. */

import * as vscode from "vscode";
import { ResponseError } from "vscode-jsonrpc/node";
import { inEditorsWords } from "./wording";

/** The daemon's program is not there. */
export class MissingError extends Error {}

export interface Remedy {
  readonly label: string;
  /** The command that it runs. */
  readonly command: string;
}

export function explain(error: unknown): string {
  return inEditorsWords(error instanceof Error ? error.message : String(error));
}

/** The error's kind, a word: on the wire, or `missing`. */
export function kindOf(error: unknown): string | undefined {
  if (error instanceof MissingError) return "missing";
  return error instanceof ResponseError ? (error.data as { kind?: string } | undefined)?.kind : undefined;
}

/** Show an error. Nobody has to answer it. */
export function showError(error: unknown): void {
  const remedies = remediesOf(kindOf(error));
  const shown = vscode.window.showErrorMessage(explain(error), ...remedies.map(({ label }) => label));
  void shown.then((chosen) => {
    const remedy = remedies.find(({ label }) => label === chosen);
    if (remedy) return vscode.commands.executeCommand(remedy.command);
  });
}

/** What may help, by the error's kind. */
export function remediesOf(kind: string | undefined): readonly Remedy[] {
  const { t } = vscode.l10n;
  if (kind === "missing") {
    return [
      { label: t("Install"), command: "oi.install" },
      { label: t("Choose Its Path..."), command: "oi.choosePath" },
    ];
  }
  const chooseModel = { label: t("Choose Model"), command: "oi.chooseModel" };
  if (kind === "auth") return [{ label: t("Set API Key"), command: "oi.setApiKey" }, chooseModel];
  if (kind === "no_model") return [chooseModel];
  return [{ label: t("Show Log"), command: "oi.showLog" }];
}
