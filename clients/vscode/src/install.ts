/** Installs the daemon into an environment of the extension's own. */

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import * as vscode from "vscode";
import { BIN } from "./locate";

/** Ask whether to install the daemon, and do so. Gives true once it is installed. */
export async function offerInstall(folder: string, python: string | undefined): Promise<boolean> {
  const { t } = vscode.l10n;
  const install = t("Install");
  const choose = t("Choose Its Path");
  const chosen = await vscode.window.showWarningMessage(
    t(
      "oi-daemon is not installed. It can be installed with pip into a folder of this extension: {0}",
      folder,
    ),
    { modal: false },
    install,
    choose,
  );
  if (chosen === choose) {
    await vscode.commands.executeCommand("workbench.action.openSettings", "oi.daemonPath");
  }
  if (chosen !== install) return false;
  const options = { location: vscode.ProgressLocation.Notification, title: t("Installing oi-daemon") };
  await vscode.window.withProgress(options, async (progress) => {
    progress.report({ message: t("a Python environment ...") });
    await run(python ?? "python3", "-m", "venv", "--clear", folder);
    progress.report({ message: t("the package ...") });
    const wanted = vscode.workspace.getConfiguration("oi").get("package", "oi-daemon");
    await run(join(folder, BIN, "python"), "-m", "pip", "install", "--quiet", wanted);
  });
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
