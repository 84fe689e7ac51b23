/** Finds with what to start the daemon: the program, the folder, the settings and the key. */

import { homedir } from "node:os";
import { join } from "node:path";
import * as vscode from "vscode";
import type { Launch } from "./daemon";
import { MissingError } from "./errors";
import { install } from "./install";
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
    const { own } = this;
    const configuration = vscode.workspace.getConfiguration("oi");
    const configured = configuration.get("daemonPath", "");
    const program = await locate({ configured, python, own, path: process.env.PATH ?? "" });
    if (!program)
      throw new MissingError(
        vscode.l10n.t(
          "oi-daemon is not installed. It can be installed with pip into a folder of this extension: {0}",
          own,
        ),
      );
    const shared = configuration.get("shared", false);
    const given = configuration.get("daemonArguments", ["--stdio"]);
    const args = shared && !given.includes("--shared") ? [...given, "--shared"] : given;
    this.isFar = args.includes("--host");
    this.launched = { ...(python && !this.isFar && { python }), ...(await this.settings()) };
    return { program, args, cwd: folder?.fsPath ?? homedir(), settings: this.launched, shared };
  }

  /** Install the daemon, with the selected environment's Python, if there is one. */
  async install(): Promise<void> {
    await install(this.own, await selectedPython(vscode.workspace.workspaceFolders?.[0]?.uri));
  }

  /** Folder of the environment that the extension makes. */
  private get own(): string {
    return join(this.context.globalStorageUri.fsPath, "venv");
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
