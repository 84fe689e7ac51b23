/** Runs the tests of this folder inside VS Code's extension host. */

import Mocha from "mocha";

export async function run(): Promise<void> {
  const mocha = new Mocha({ ui: "tdd", timeout: 60_000, color: false });
  mocha.suite.emit("pre-require", globalThis, "", mocha);
  await import("./activation");
  await import("./conversation");
  await import("./files");
  const failures = await new Promise<number>((resolve) => mocha.run(resolve));
  if (failures > 0) throw new Error(`${failures} tests failed in the extension host.`);
}
