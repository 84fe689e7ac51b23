import assert from "node:assert/strict";
import * as vscode from "vscode";

suite("activation", () => {
  const extension = vscode.extensions.getExtension("oi-daemon.open-interpreter");
  assert(extension);

  test("nothing is loaded before it is needed", () => {
    assert.equal(extension.isActive, false);
  });

  test("loading and activating takes less than 100 ms of a processor of today", async () => {
    const slowness = Math.max(1, (await busy(count)) / 15);
    const spent = await busy(() => extension.activate());
    console.log(`activated in ${Math.round(spent)} ms, on a processor ${slowness.toFixed(1)} times as slow`);
    assert(spent < 100 * slowness);
  });

  test("the manifest's commands are all there, and no others", async () => {
    const { commands } = extension.packageJSON.contributes;
    const names = commands.map(({ command }: { command: string }) => command);
    const registered = (await vscode.commands.getCommands(true)).filter((name) => name.startsWith("oi."));
    assert.deepEqual(registered.toSorted(), names.toSorted());
  });
});

/** Milliseconds that this takes, without those in which the processor was with others. */
async function busy(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  const began = performance.now();
  await work();
  const { user, system } = process.cpuUsage(before);
  return Math.min(performance.now() - began, (user + system) / 1000);
}

/** Takes 15 ms, about, where nothing else runs. */
function count(): number {
  let sum = 0;
  for (let i = 0; i < 3e7; i++) sum ^= i;
  return sum;
}
