/** The daemon's settings among those of the editor. */

import * as vscode from "vscode";

type Values = Record<string, unknown>;

/** Settings of the extension itself. */
const OWN = new Set(["oi.daemonPath", "oi.daemonArguments", "oi.package", "oi.shared"]);

/** The settings that the person has set, by the daemon's names. The daemon has its own values for the others. */
export function configured(names: readonly string[]): Values {
  const all = vscode.workspace.getConfiguration();
  const set = names.filter((name) => !OWN.has(name) && isSet(all.inspect(name)));
  return Object.fromEntries(set.map((name) => [toDaemon(name), all.get(name)]));
}

/** The settings that differ from those with which a daemon was started. Null: no longer set. */
export function changed(before: Values, now: Values): Values {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  const differing = names.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(now[name]));
  return Object.fromEntries(differing.map((name) => [name, now[name] ?? defaultOf(name)]));
}

/** `oi.maxOutput` -> `max_output`. */
function toDaemon(name: string): string {
  return name.replace(/^oi\./, "").replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function defaultOf(name: string): unknown {
  const editors = name.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  return vscode.workspace.getConfiguration("oi").inspect(editors)?.defaultValue ?? null;
}

function isSet(values: ReturnType<vscode.WorkspaceConfiguration["inspect"]>): boolean {
  const { globalValue, workspaceValue, workspaceFolderValue } = values ?? {};
  return [globalValue, workspaceValue, workspaceFolderValue].some((value) => value !== undefined);
}
