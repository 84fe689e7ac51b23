/** Finds with what to start the daemon: the program, the folder, the settings and the key. */

import { homedir } from "node:os";
import { join } from "node:path";
import * as vscode from "vscode";
import type { Launch } from "./daemon";
import { offerInstall } from "./install";
import { locate } from "./locate";
import { selectedPython } from "./python";
import { API_KEY } from "./secrets";
import { changed, configured } from "./settings";

/** Settings that may hold a key. */
const WITH_KEYS = new Set(["api_key", "extra_headers", "mcp"]);

export class Launcher {
  /** The settings with which the daemon was started. */
  private launched: Launch["settings"] = {};
  /** Whether the daemon is on another machine, to which no key is sent. */
  private isFar = false;

  constructor(private readonly context: vscode.ExtensionContext) {}

  async launch(): Promise<Launch> {
    const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
    const python = await selectedPython(folder);
    const own = join(this.context.globalStorageUri.fsPath, "venv");
    const configured = vscode.workspace.getConfiguration("oi").get("daemonPath", "");
    const find = () => locate({ configured, python, own, path: process.env.PATH ?? "" });
    const program = (await find()) ?? ((await offerInstall(own, python)) ? await find() : undefined);
    if (!program) throw new Error(vscode.l10n.t("oi-daemon is not installed."));
    const args = vscode.workspace.getConfiguration("oi").get("daemonArguments", ["--stdio"]);
    this.isFar = args.includes("--host");
    this.launched = { ...(python && !this.isFar && { python }), ...(await this.settings()) };
    return { program, args, cwd: folder?.fsPath ?? homedir(), settings: this.launched };
  }

  /** The settings that the person has changed since the daemon was started. */
  async changed(): Promise<Launch["settings"]> {
    const { python } = this.launched;
    return changed(this.launched, { ...(python !== undefined && { python }), ...(await this.settings()) });
  }

  private async settings(): Promise<Launch["settings"]> {
    const key = await this.context.secrets.get(API_KEY);
    const { properties } = this.context.extension.packageJSON.contributes.configuration;
    const all = { ...configured(Object.keys(properties)), ...(key && { api_key: key }) };
    if (!this.isFar) return all;
    return Object.fromEntries(Object.entries(all).filter(([name]) => !WITH_KEYS.has(name)));
  }
}
