/** The daemon's process and the connection to it: started at first need, started again if it ends. */

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { promisify } from "node:util";
import * as vscode from "vscode";
import {
  createMessageConnection,
  type MessageConnection,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-jsonrpc/node";
import { MissingError } from "./errors";
import type { ChunkParams, Methods, StatusResult } from "./protocol";

export type DaemonState = "stopped" | "starting" | "running" | "restarting" | "failed";

/** With what the daemon is started. */
export interface Launch {
  readonly program: string;
  /** What the program is given, such as `--stdio`. */
  readonly args: readonly string[];
  readonly cwd: string;
  readonly settings: Record<string, unknown>;
  /** Whether it is the daemon that all clients share, which outlives this one. */
  readonly shared: boolean;
}

/** The daemon has ended, or the connection to it. */
export class DaemonEndedError extends Error {}

/** What has become of the daemon that ran before. */
export interface Restart {
  /** Whether it runs on, with all variables: only the connection was lost. */
  readonly isSame: boolean;
}

/** Failures in a row after which the daemon is not started again. */
const MAX_FAILURES = 5;
/** Milliseconds before the first restart. It doubles with each failure. */
const FIRST_DELAY = 500;
/** Milliseconds after which a daemon that should end is killed. */
const END_TIMEOUT = 3000;

interface Running {
  readonly child: ChildProcess;
  readonly connection: MessageConnection;
  /** Rejects when the process ends. */
  readonly ended: Promise<never>;
  /** Id of the daemon's process: of the shared one, which is not `child`. */
  readonly pid: Promise<number>;
}

export class Daemon implements vscode.Disposable {
  private readonly chunks = new vscode.EventEmitter<ChunkParams>();
  private readonly states = new vscode.EventEmitter<DaemonState>();
  private readonly connections = new vscode.EventEmitter<MessageConnection>();
  /** Fired when there is a connection, before anything is asked. */
  readonly onConnection = this.connections.event;
  private readonly restarts = new vscode.EventEmitter<Restart>();
  readonly onChunk = this.chunks.event;
  readonly onState = this.states.event;
  /** Fired when there is a connection again, mostly to a fresh daemon. */
  readonly onRestart = this.restarts.event;
  state: DaemonState = "stopped";
  /** Whether it outlives this window. */
  shared = false;
  /** Id of the process that was connected to last. */
  private pid: number | undefined;
  /** Whether the connection was lost, and there is no other yet. */
  private isLost = false;
  private running: Promise<Running> | undefined;
  private failures = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly launch: () => Promise<Launch>,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  /** Send a request. The daemon is started if it does not run. */
  async request<M extends keyof Methods>(
    method: M,
    params: Methods[M]["params"],
  ): Promise<Methods[M]["result"]> {
    const { connection, ended } = await this.start();
    return Promise.race([ended, connection.sendRequest<Methods[M]["result"]>(method, params)]);
  }

  /** End the daemon, also the shared one, and start a fresh one. */
  async restart(): Promise<void> {
    this.failures = 0;
    const { shared } = this;
    await this.stop();
    if (shared) await promisify(execFile)((await this.launch()).program, ["--shared", "stop", "--yes"]);
    this.isLost = true;
    await this.start();
  }

  /** End the daemon. */
  async stop(): Promise<void> {
    clearTimeout(this.timer);
    const running = await this.running?.catch(() => undefined);
    this.running = undefined;
    this.setState("stopped");
    if (running) await end(running);
  }

  dispose(): void {
    void this.stop();
    for (const emitter of [this.chunks, this.states, this.connections, this.restarts]) emitter.dispose();
  }

  private start(): Promise<Running> {
    clearTimeout(this.timer);
    this.running ??= this.open().then(
      (running) => {
        if (this.isLost) this.announceRestart(running).catch(() => {}); // it has ended again
        return running;
      },
      (error: unknown) => {
        this.running = undefined;
        this.setState("failed");
        throw error;
      },
    );
    return this.running;
  }

  private async open(): Promise<Running> {
    this.setState("starting");
    const { program, args, cwd, settings, shared } = await this.launch();
    this.shared = shared;
    this.log.info(`Starting ${program} in ${cwd}`);
    const child = spawn(program, [...args], { cwd, stdio: "pipe" });
    child.stderr.on("data", (data: Buffer) => this.log.info(data.toString().trimEnd()));
    const connection = createMessageConnection(
      new StreamMessageReader(child.stdout),
      new StreamMessageWriter(child.stdin),
    );
    const ended = new Promise<never>((_, reject) => {
      child.once("error", (error) =>
        reject(new MissingError(vscode.l10n.t("{0} does not start: {1}", program, error.message))),
      );
      child.once("exit", (code, signal) =>
        reject(
          new DaemonEndedError(
            vscode.l10n.t("oi-daemon ended ({0}). It is started again.", signal ?? `${code}`),
          ),
        ),
      );
    });
    ended.catch((error: Error) => this.handleEnd(child, connection, error));
    connection.onError(([error]) => this.log.warn(error.message));
    connection.onNotification("oi/chunk", (params: ChunkParams) => this.chunks.fire(params));
    connection.listen();
    await Promise.race([ended, initialize(connection, settings)]);
    this.connections.fire(connection);
    this.setState("running");
    const pid = connection.sendRequest<StatusResult>("oi/status", {}).then((status) => status.pid);
    pid.then(
      (known) => {
        this.pid ??= known;
      },
      () => {}, // it has ended
    );
    return { child, connection, ended, pid };
  }

  private handleEnd(child: ChildProcess, connection: MessageConnection, error: Error): void {
    this.log.warn(error.message);
    const wasRunning = this.state === "running";
    connection.dispose();
    child.kill();
    if (!wasRunning) return;
    this.isLost = true;
    this.running = undefined;
    this.retry();
  }

  /** Start again, after a longer delay each time. */
  private retry(): void {
    if (this.failures >= MAX_FAILURES) {
      this.setState("failed");
      return;
    }
    this.setState("restarting");
    const delay = FIRST_DELAY * 2 ** this.failures++;
    this.timer = setTimeout(() => {
      this.start().catch(() => this.retry());
    }, delay);
  }

  private async announceRestart({ pid }: Running): Promise<void> {
    this.isLost = false;
    const before = this.pid;
    this.pid = await pid;
    this.restarts.fire({ isSame: this.pid === before });
  }

  /** Forget earlier failures, because the daemon has done some work. */
  resetFailures(): void {
    this.failures = 0;
  }

  private setState(state: DaemonState): void {
    if (state === this.state) return;
    this.state = state;
    this.log.info(`Daemon: ${state}`);
    this.states.fire(state);
  }
}

async function initialize(connection: MessageConnection, settings: Launch["settings"]): Promise<void> {
  await connection.sendRequest("initialize", {
    processId: process.pid,
    rootUri: null,
    capabilities: {},
    clientInfo: { name: "vscode", version: vscode.version },
    initializationOptions: { settings },
  });
  await connection.sendNotification("initialized", {});
}

async function end({ child, connection }: Running): Promise<void> {
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const late = setTimeout(() => child.kill("SIGKILL"), END_TIMEOUT);
  try {
    await connection.sendRequest("shutdown");
    await connection.sendNotification("exit");
  } catch {
    child.kill(); // the connection is broken
  }
  await exited;
  clearTimeout(late);
}
