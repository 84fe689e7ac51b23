import assert from "node:assert/strict";
import * as vscode from "vscode";

suite("activation", () => {
  const extension = vscode.extensions.getExtension("oi-daemon.open-interpreter");
  assert(extension);

  test("nothing is loaded before it is needed", () => {
    assert.equal(extension.isActive, false);
  });

  test("activating starts no process", async () => {
    const before = processes();
    const began = performance.now();
    await extension.activate();
    console.log(`activated in ${Math.round(performance.now() - began)} ms`);
    assert.equal(processes(), before);
  });

  test("the manifest's commands are all there, and no others", async () => {
    const { commands } = extension.packageJSON.contributes;
    const names = commands.map(({ command }: { command: string }) => command);
    const registered = (await vscode.commands.getCommands(true)).filter((name) => name.startsWith("oi."));
    assert.deepEqual(registered.toSorted(), names.toSorted());
  });
});

/** How many processes the extension host has started that have not ended. */
function processes(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "ProcessWrap").length;
}
