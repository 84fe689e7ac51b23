/** Installs the daemon into an environment of the extension's own, or lets the person say where it is. */

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import * as vscode from "vscode";
import { BIN } from "./locate";

/** Install the daemon with pip into this folder. */
export async function install(folder: string, python = "python3"): Promise<void> {
  const { t } = vscode.l10n;
  const options = { location: vscode.ProgressLocation.Notification, title: t("Installing oi-daemon") };
  await vscode.window.withProgress(options, async (progress) => {
    progress.report({ message: t("a Python environment ...") });
    await run(python, "-m", "venv", "--clear", folder);
    progress.report({ message: t("the package ...") });
    const wanted = vscode.workspace.getConfiguration("oi").get("package", "oi-daemon");
    await run(join(folder, BIN, "python"), "-m", "pip", "install", "--quiet", wanted);
  });
}

/** Ask for the program's file, and keep it in the settings. False if the person closes the dialog. */
export async function choosePath(): Promise<boolean> {
  const openLabel = vscode.l10n.t("Use This Program");
  const [file] =
    (await vscode.window.showOpenDialog({ title: vscode.l10n.t("Where is oi-daemon?"), openLabel })) ?? [];
  if (!file) return false;
  const configuration = vscode.workspace.getConfiguration("oi");
  await configuration.update("daemonPath", file.fsPath, vscode.ConfigurationTarget.Global);
  return true;
}

/** Run a program and wait for its end. If it fails, the last line of its output is the error's message. */
async function run(program: string, ...args: string[]): Promise<void> {
  try {
    await promisify(execFile)(program, args);
  } catch (error) {
    const { message, stderr = "" } = error as Error & { stderr?: string };
    const last = stderr.trim().split("\n").at(-1) || message;
    throw new Error(vscode.l10n.t("oi-daemon could not be installed: {0}", last));
  }
}
