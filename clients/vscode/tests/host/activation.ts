import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as vscode from "vscode";

suite("activation", () => {
  const extension = vscode.extensions.getExtension("oi-daemon.open-interpreter");
  assert(extension);

  test("nothing is loaded before it is needed", () => {
    assert.equal(extension.isActive, false);
  });

  test("activating starts no daemon", async () => {
    const began = performance.now();
    await extension.activate();
    console.log(`activated in ${Math.round(performance.now() - began)} ms`);
    assert.doesNotMatch(children(), /oi.daemon --stdio/);
  });

  test("the manifest's commands are all there, and no others", async () => {
    const { commands } = extension.packageJSON.contributes;
    const names = commands.map(({ command }: { command: string }) => command);
    const registered = (await vscode.commands.getCommands(true)).filter((name) => name.startsWith("oi."));
    assert.deepEqual(registered.toSorted(), names.toSorted());
  });
});

/** The command lines of all that the extension host has started. */
function children(): string {
  return execFileSync("ps", ["-ww", "-o", "args=", "--ppid", `${process.pid}`], { encoding: "utf8" });
}
