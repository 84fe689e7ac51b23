/** Finds the daemon's program: by the setting, in the selected Python environment, in ours, on the PATH. */

import { access, constants } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";

const NAME = process.platform === "win32" ? "oi-daemon.exe" : "oi-daemon";
export const BIN = process.platform === "win32" ? "Scripts" : "bin";

export interface Places {
  /** The setting `oi.daemonPath`. Empty if it is not set. */
  readonly configured: string;
  /** The selected environment's Python. */
  readonly python: string | undefined;
  /** Folder of the environment that the extension makes. */
  readonly own: string;
  readonly path: string;
}

/** The program's path, or undefined if there is none. A configured path is returned without a check. */
export async function locate({ configured, python, own, path }: Places): Promise<string | undefined> {
  if (configured) return configured;
  const folders = [python && dirname(python), join(own, BIN), ...path.split(delimiter)];
  for (const folder of folders) {
    const program = folder && join(folder, NAME);
    if (program && (await isProgram(program))) return program;
  }
  return undefined;
}

async function isProgram(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}
