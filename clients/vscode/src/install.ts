/** Installs the daemon into an environment of the extension's own. */

import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import * as vscode from "vscode";
import { BIN } from "./locate";

const run = promisify(execFile);

/** Ask whether to install, and do it: true once the daemon is there. */
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
    await make(folder, python ?? "python3");
    progress.report({ message: t("the package ...") });
    const wanted = vscode.workspace.getConfiguration("oi").get("package", "oi-daemon");
    await run(join(folder, BIN, "python"), ["-m", "pip", "install", "--quiet", wanted]);
  });
  return true;
}

async function make(folder: string, python: string): Promise<void> {
  try {
    await run(python, ["-m", "venv", "--clear", folder]);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}
