// slim.mjs before|after FOLDER: makes code-server small, and free of what would have to be compiled.
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [, , when, folder] = process.argv;
const vscode = join(folder, "lib/vscode");
const modules = join(vscode, "node_modules");

/** What no test needs: other assistants, Windows, remote shells, databases. */
const UNUSED = [
  "@github/copilot-sdk",
  "@vscode/copilot-api",
  "@microsoft/mxc-sdk",
  "@vscode/sandbox-runtime",
  "@devcontainers/cli",
  "ssh2",
  "kerberos",
  "@vscode/sqlite3",
  "@vscode/windows-registry",
  "@vscode/windows-process-tree",
  "node-addon-api",
];

function edit(file, change) {
  const value = JSON.parse(readFileSync(file, "utf8"));
  change(value);
  writeFileSync(file, JSON.stringify(value, null, 2));
}

function dropUnused(manifest) {
  for (const name of UNUSED) {
    delete manifest.dependencies?.[name];
    delete manifest.optionalDependencies?.[name];
  }
  delete manifest.devDependencies;
  delete manifest.hasInstallScript;
  delete manifest.scripts;
  delete manifest.overrides;
}

function before() {
  edit(join(vscode, "package.json"), dropUnused);
  edit(join(vscode, "npm-shrinkwrap.json"), (lock) => dropUnused(lock.packages[""]));
}

function after() {
  const extensions = join(vscode, "extensions");
  for (const name of readdirSync(extensions)) {
    if (/^(copilot|mermaid|ms-vscode\.js-debug|microsoft-auth)/.test(name)) {
      rmSync(join(extensions, name), { recursive: true });
    }
  }
  keepOnly(join(modules, "@vscode/ripgrep-universal/bin"), "linux-x64");
  keepOnly(join(modules, "node-pty/prebuilds"), "linux-x64");
  cpSync(join(import.meta.dirname, "spdlog.js"), join(modules, "@vscode/spdlog/index.js"));
  for (const name of ["@vscode/native-watchdog", "native-watchdog"]) {
    const file = join(modules, name, "index.js");
    if (existsSync(file)) writeFileSync(file, "exports.start = () => {};\nexports.exit = process.exit;\n");
  }
  const argon2 = join(folder, "node_modules/argon2");
  if (!existsSync(join(argon2, "prebuilds"))) writeFileSync(join(argon2, "argon2.js"), "");
}

function keepOnly(parent, name) {
  if (!existsSync(parent)) return;
  for (const each of readdirSync(parent)) {
    if (each !== name) rmSync(join(parent, each), { recursive: true });
  }
}

({ before, after })[when]();
