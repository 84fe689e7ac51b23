/** One conversation: its turn under way, what waits for the person, and the notebook that shows it. */

import * as vscode from "vscode";
import { Canvas } from "./canvas";
import { dataOf, sourceOf } from "./cells";
import type { Daemon } from "./daemon";
import { type Block, type Cell, type Cells, cellsOf, fold, settle } from "./fold";
import { toDaemon } from "./languages";
import type { ApproveParams, ChunkParams, ConversationStatus, TurnResult } from "./protocol";
import { explain } from "./trouble";

export type State = ConversationStatus["state"];
export type Decision = ApproveParams["decision"];

/** The turn under way. */
interface Turn {
  cells: Cells;
  readonly canvas: Canvas;
  /** Ends the question for a line of input. */
  input: vscode.CancellationTokenSource;
}

export class Conversation implements vscode.Disposable {
  private readonly changes = new vscode.EventEmitter<void>();
  readonly onChange = this.changes.event;
  state: State = "idle";
  private turn: Turn | undefined;
  /** A turn that went wrong: its cells go when the next begins. */
  private failed: { readonly turn: Turn; readonly kept: Cells } | undefined;

  constructor(
    readonly id: string,
    readonly notebook: vscode.NotebookDocument,
    private readonly daemon: Daemon,
    private readonly controller: vscode.NotebookController,
    private readonly follow: (cell: vscode.NotebookCell) => void,
  ) {}

  /** Ask the model; resolves when its turn has ended. */
  async ask(message: string, settings: Record<string, unknown>): Promise<void> {
    await this.run([{ kind: "words", role: "user", text: message }], undefined, () =>
      this.daemon.request("oi/stream", { conversation: this.id, message, settings }),
    );
  }

  /** Run the code in a cell, without asking. */
  async execute(cell: vscode.NotebookCell): Promise<void> {
    const language = toDaemon(cell.document.languageId);
    const code = cell.document.getText();
    const block: Block = { kind: "block", language, code, outputs: [], state: "writing" };
    await this.run([block], cell, () =>
      this.daemon.request("oi/execute", { conversation: this.id, language, code }),
    );
  }

  /** The cell whose code waits for an answer, once it shows all of it. */
  get waiting(): vscode.NotebookCell | undefined {
    const { turn } = this;
    return this.state === "approval" && !turn?.canvas.isStale
      ? turn?.canvas.at(turn.cells.length - 1)
      : undefined;
  }

  /** The block that is run now, with its cell. */
  get running(): { readonly block: Block; readonly cell: vscode.NotebookCell } | undefined {
    const { cells, canvas } = this.turn ?? {};
    const block = cells?.at(-1);
    const cell = canvas?.at((cells?.length ?? 0) - 1);
    return block?.kind === "block" && block.state === "running" && cell ? { block, cell } : undefined;
  }

  /** Answer for the code that waits; what was edited runs as it stands. */
  async approve(decision: Decision): Promise<void> {
    await this.turn?.canvas.settled();
    const block = this.turn?.cells.at(-1);
    const cell = this.waiting;
    if (block?.kind !== "block" || !block.approval || !cell) return;
    const code = cell.document.getText();
    const runs = decision === "run" || decision === "always";
    const edited = runs && code !== sourceOf(block);
    this.become(runs ? "running" : "thinking");
    await this.daemon.request("oi/approve", {
      conversation: this.id,
      approval: block.approval,
      decision,
      ...(edited && { code }),
    });
  }

  async stop(): Promise<void> {
    if (this.turn) await this.daemon.request("oi/interrupt", { conversation: this.id });
  }

  async undo(): Promise<void> {
    await this.daemon.request("oi/history/undo", { conversation: this.id });
    await this.reread();
  }

  async reset(): Promise<void> {
    await this.daemon.request("oi/history/reset", { conversation: this.id });
    await this.reread();
  }

  /** Show what the history holds. */
  async reread(): Promise<void> {
    const { messages } = await this.daemon.request("oi/history/get", { conversation: this.id });
    const edit = new vscode.WorkspaceEdit();
    const all = new vscode.NotebookRange(0, this.notebook.cellCount);
    edit.set(this.notebook.uri, [vscode.NotebookEdit.replaceCells(all, cellsOf(messages).map(dataOf))]);
    this.failed = undefined;
    await vscode.workspace.applyEdit(edit);
    await this.save();
  }

  /** A chunk of this conversation has come. */
  take(params: ChunkParams): void {
    if (!this.turn) return;
    this.show(fold(this.turn.cells, params));
    this.become(stateAfter(params));
    if ("input" in params.chunk && params.input) void this.askForInput(params.input, params.chunk.input);
  }

  dispose(): void {
    this.turn?.input.cancel();
    if (this.turn) void this.stop().catch(() => {});
    this.changes.dispose();
  }

  private async run(cells: Cells, at: vscode.NotebookCell | undefined, work: () => Promise<TurnResult>) {
    if (this.turn) throw new Error(vscode.l10n.t("A turn is under way: wait for it, or stop it."));
    await this.forgetFailure();
    const canvas = new Canvas(this.notebook, this.controller, (last) => this.grown(last));
    if (at) canvas.adopt(cells[0] as Cell, at);
    this.turn = { cells, canvas, input: new vscode.CancellationTokenSource() };
    this.become("thinking");
    this.show(cells);
    try {
      await work();
      this.daemon.isWell();
    } catch (error) {
      await this.fail(error);
    } finally {
      await this.finish();
    }
  }

  private async fail(error: unknown): Promise<void> {
    const turn = this.turn as Turn;
    const kept = turn.cells.length > 1 ? settle(turn.cells) : [];
    this.failed = { turn, kept };
    this.show([...settle(turn.cells), { kind: "trouble", text: explain(error) }]);
    throw error;
  }

  private async finish(): Promise<void> {
    const { canvas, cells, input } = this.turn as Turn;
    input.cancel();
    this.show(settle(cells));
    await canvas.settled();
    this.turn = undefined;
    this.become("idle");
    await this.save();
  }

  private async forgetFailure(): Promise<void> {
    if (!this.failed) return;
    const { turn, kept } = this.failed;
    this.failed = undefined;
    turn.canvas.draw(kept);
    await turn.canvas.settled();
  }

  private grown(last: vscode.NotebookCell): void {
    this.follow(last);
    if (this.state !== "thinking") this.changes.fire(); // there is a cell now to be answered for, or marked
  }

  private show(cells: Cells): void {
    const turn = this.turn as Turn;
    turn.cells = cells;
    turn.canvas.draw(cells);
  }

  private async askForInput(input: string, { prompt, password }: { prompt: string; password: boolean }) {
    const { input: asking } = this.turn as Turn;
    const options = {
      title: vscode.l10n.t("The code asks for input"),
      prompt: prompt || vscode.l10n.t("A line of text, please."),
      password,
      ignoreFocusOut: true,
    };
    const value = await vscode.window.showInputBox(options, asking.token);
    if (asking.token.isCancellationRequested) return;
    await this.daemon.request("oi/input", { conversation: this.id, input, value: value ?? null });
  }

  private become(state: State): void {
    if (state === this.state && state !== "running") return;
    this.state = state;
    this.changes.fire();
  }

  /** The daemon keeps the conversation; saving only takes the mark of unsaved changes away. */
  private async save(): Promise<void> {
    if (!this.notebook.isClosed) await this.notebook.save();
  }
}

function stateAfter({ chunk, approval }: ChunkParams): State {
  if ("executing" in chunk) return approval ? "approval" : "running";
  if ("input" in chunk) return "input";
  return "message" in chunk || "language" in chunk || "code" in chunk || "end_of_execution" in chunk
    ? "thinking"
    : "running";
}
