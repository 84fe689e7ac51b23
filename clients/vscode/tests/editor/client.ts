/** A client of the shared daemon beside the editor: JSON lines over the daemon's standard input and output. */

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { ChunkParams, Methods } from "../../src/protocol";
import { REPOSITORY } from "./server";

export class Client {
  /** All chunks, in the order in which they came. */
  readonly chunks: ChunkParams[] = [];
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly waiting = new Map<number, (answer: { result?: unknown; error?: unknown }) => void>();
  private count = 0;

  /** @param home The home folder of the user whose daemon it is. */
  constructor(private readonly home: string) {
    this.child = spawn(PROGRAM, ["--stdio", "--shared"], { env: environment(home) });
    createInterface({ input: this.child.stdout }).on("line", (line) => {
      const { id, params, ...answer } = JSON.parse(line);
      if (id === undefined) this.chunks.push(params);
      else this.waiting.get(id)?.(answer);
    });
  }

  async request<M extends keyof Methods>(
    method: M,
    params: Methods[M]["params"],
  ): Promise<Methods[M]["result"]> {
    const id = ++this.count;
    const answered = new Promise<{ result?: unknown; error?: unknown }>((resolve) =>
      this.waiting.set(id, resolve),
    );
    this.child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
    const { result, error } = await answered;
    if (error) throw new Error(JSON.stringify(error));
    return result as Methods[M]["result"];
  }

  /** Leave, and end the daemon. */
  async close(): Promise<void> {
    this.child.stdin.end();
    const stopping = spawn(PROGRAM, ["--shared", "stop", "--yes"], { env: environment(this.home) });
    await new Promise((resolve) => stopping.once("exit", resolve));
  }
}

const PROGRAM = join(REPOSITORY, ".venv/bin/oi-daemon");

/** The environment by which this home's daemon is found: as the editor has it. */
function environment(home: string): NodeJS.ProcessEnv {
  const { OPENAI_API_KEY: _, VSCODE_IPC_HOOK_CLI: __, VIRTUAL_ENV: ___, ...inherited } = process.env;
  return { ...inherited, HOME: home };
}
