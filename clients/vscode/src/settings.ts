/** The daemon's settings as they stand in the editor's. */

import * as vscode from "vscode";

type Values = Record<string, unknown>;

/** Settings of the extension itself. */
const OWN = new Set(["oi.daemonPath", "oi.package"]);

/** Those that the person has set, by the daemon's names; the others are the daemon's to choose. */
export function configured(names: readonly string[]): Values {
  const all = vscode.workspace.getConfiguration();
  const set = names.filter((name) => !OWN.has(name) && isSet(all.inspect(name)));
  return Object.fromEntries(set.map((name) => [toDaemon(name), all.get(name)]));
}

/** What has to be told to a daemon that began with other values; null: set no more. */
export function changed(before: Values, now: Values): Values {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  const differing = names.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(now[name]));
  return Object.fromEntries(differing.map((name) => [name, now[name] ?? standard(name)]));
}

/** `oi.maxOutput` -> `max_output`. */
function toDaemon(name: string): string {
  return name.replace(/^oi\./, "").replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function standard(name: string): unknown {
  const editors = name.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  return vscode.workspace.getConfiguration("oi").inspect(editors)?.defaultValue ?? null;
}

function isSet(values: ReturnType<vscode.WorkspaceConfiguration["inspect"]>): boolean {
  const { globalValue, workspaceValue, workspaceFolderValue } = values ?? {};
  return [globalValue, workspaceValue, workspaceFolderValue].some((value) => value !== undefined);
}
