/** code-server: a real VS Code as a server, with the extension in it. */

import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { basename, join } from "node:path";

export const ROOT = join(import.meta.dirname, "../..");
export const REPOSITORY = join(ROOT, "../..");
/** Milliseconds after which something does not come any more, on the slowest of machines. */
export const LATEST = Number(process.env.OI_LATEST ?? 90_000);
const HOME = process.env.CODE_SERVER ?? "";

const SETTINGS = {
  "workbench.startupEditor": "none",
  "workbench.enableExperiments": false,
  "workbench.tips.enabled": false,
  "security.workspace.trust.startupPrompt": "never",
  "telemetry.telemetryLevel": "off",
  "extensions.autoUpdate": false,
  "extensions.autoCheckUpdates": false,
  "extensions.ignoreRecommendations": true,
  "chat.disableAIFeatures": true,
  "chat.commandCenter.enabled": false,
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "git.enabled": false,
  "notebook.lineNumbers": "on",
  "editor.fontFamily": "DejaVu Sans Mono",
};

export interface Options {
  /** Settings of the machine that the editor runs on. */
  readonly settings: Record<string, unknown>;
  /** A package to install; otherwise the extension is there as it was built. */
  readonly vsix?: string;
  /** Folders of other extensions. */
  readonly extensions?: readonly string[];
  /** Whether the editor's own AI is on; default: no. */
  readonly ai?: boolean;
  /** Whether the folder is trusted without a question; default: yes. */
  readonly trusts?: boolean;
  /** Folders with programs, in place of the PATH. */
  readonly path?: string;
  /** Tests to run inside the extension host: their script, and what is called with their output and exit code. */
  readonly host?: Host;
}

export interface Host {
  readonly script: string;
  readonly log: (line: string) => void;
  readonly exit: (code: number) => void;
}

/** Start it on this port, with what it keeps in the folder `state`; it answers when this returns. */
export async function serve(state: string, port: number, options: Options): Promise<ChildProcess> {
  if (!existsSync(join(HOME, "package"))) throw new Error("CODE_SERVER names no folder with a code-server.");
  for (const folder of ["user/User", "user/Machine", "extensions", "workspace", "home"]) {
    mkdirSync(join(state, folder), { recursive: true });
  }
  const daemonPath = join(REPOSITORY, ".venv/bin/oi-daemon");
  const settings = { "oi.daemonPath": daemonPath, "oi.python": process.env.PLOTTING, ...options.settings };
  writeFileSync(
    join(state, "user/User/settings.json"),
    JSON.stringify({ ...SETTINGS, "chat.disableAIFeatures": !options.ai }),
  );
  writeFileSync(join(state, "user/Machine/settings.json"), JSON.stringify(settings));
  const { OPENAI_API_KEY: _, VSCODE_IPC_HOOK_CLI: __, VIRTUAL_ENV: ___, ...inherited } = process.env;
  const path = options.path ?? inherited.PATH;
  const env = {
    ...inherited,
    PATH: path,
    HOME: join(state, "home"),
    EXTENSIONS_GALLERY: '{"serviceUrl":""}',
  };
  const args = [
    join(HOME, "package/out/node/entry.js"),
    ...["--config", join(state, "config.yaml")],
    ...["--user-data-dir", join(state, "user"), "--extensions-dir", join(state, "extensions")],
  ];
  const run = (more: readonly string[]) =>
    spawn(join(HOME, "node"), [...args, ...more], { env, stdio: ["ignore", "pipe", "pipe"] });
  for (const folder of options.extensions ?? [])
    cpSync(folder, join(state, "extensions", basename(folder)), { recursive: true });
  if (options.vsix) await done(run(["--install-extension", options.vsix]));
  else if (!options.host) install(join(state, "extensions/open-interpreter"));
  const server = run([...listening(port, options), join(state, "workspace")]);
  let log = "";
  for (const stream of [server.stdout, server.stderr]) stream.on("data", (data) => (log += data));
  const deadline = Date.now() + LATEST;
  while (!(await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined))?.ok) {
    if (server.exitCode !== null || Date.now() > deadline)
      throw new Error(`code-server does not start:\n${log}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return server;
}

function listening(port: number, { trusts = true, host }: Options): string[] {
  const isNewer = readFileSync(join(HOME, "package/out/node/cli.js"), "utf8").includes("vscode-option");
  return [
    ...["--auth", "none", "--bind-addr", `127.0.0.1:${port}`],
    ...["--disable-telemetry", "--disable-update-check"],
    ...["--disable-getting-started-override", "--ignore-last-opened"],
    ...(trusts ? ["--disable-workspace-trust"] : []),
    ...(isNewer ? ["--reconnection-grace-time", "1"] : []),
    // With this option, no notification is ever shown: only for tests inside the extension host.
    ...(isNewer && host ? ["--vscode-option", "enable-smoke-test-driver"] : []),
  ];
}

async function done(child: ChildProcess): Promise<void> {
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (data) => (said += data));
  const code = await new Promise((resolve) => child.once("exit", resolve));
  if (code !== 0) throw new Error(said);
}

/** The extension as its VSIX has it. */
function install(folder: string): void {
  for (const part of ["package.json", "package.nls.json", "dist", "l10n", "media"]) {
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
