/** One conversation: its turn, what waits for the person, and the notebook that shows it. */

import * as vscode from "vscode";
import { Activity } from "./activity";
import { Canvas } from "./canvas";
import { dataFrom, dataOf, sourceOf } from "./cells";
import type { Daemon } from "./daemon";
import { draftsOf, withDrafts } from "./drafts";
import { explain, showError } from "./errors";
import { type Block, type Cell, type Cells, cellsOf, fold, isAnswered, settle } from "./fold";
import { toDaemon } from "./languages";
import type { ApproveParams, Chunk, ChunkParams, ConversationState, TurnResult } from "./protocol";

export type Decision = ApproveParams["decision"];
type Notice = Extract<Chunk, { notice: unknown }>["notice"];

/** The turn under way. */
interface Turn {
  cells: Cells;
  readonly canvas: Canvas;
  /** Closes the box that asks for input. */
  readonly input: vscode.CancellationTokenSource;
}

export class Conversation implements vscode.Disposable {
  private readonly changes = new vscode.EventEmitter<void>();
  readonly onChange = this.changes.event;
  /** What it is doing: the state that the daemon sent last. */
  state: ConversationState = "idle";
  /** The same in words. */
  readonly activity = new Activity(vscode.l10n.t);
  /** Whether its code runs without a question. */
  autoRun = false;
  /** Why the daemon waits before it asks the model's server again. */
  retry: string | undefined;
  private turn: Turn | undefined;
  /** A turn that failed, and which of its cells stay. The others are removed when the next turn begins. */
  private failed: { readonly turn: Turn; readonly kept: Cells } | undefined;

  constructor(
    readonly id: string,
    readonly notebook: vscode.NotebookDocument,
    private readonly daemon: Daemon,
    private readonly controller: vscode.NotebookController,
    private readonly follow: (cell: vscode.NotebookCell) => void,
  ) {}

  /** Ask the model. Resolves when its turn has ended. */
  async ask(message: string, settings: Record<string, unknown>): Promise<void> {
    await this.run([{ kind: "words", role: "user", text: message }], undefined, () =>
      this.daemon.request("oi/stream", { conversation: this.id, message, settings }),
    );
  }

  /** Run the code in a cell, without a question. */
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

  /** The block that runs now, and its cell. */
  get running(): { readonly block: Block; readonly cell: vscode.NotebookCell } | undefined {
    const { cells, canvas } = this.turn ?? {};
    const block = cells?.at(-1);
    const cell = canvas?.at((cells?.length ?? 0) - 1);
    return block?.kind === "block" && block.state === "running" && cell ? { block, cell } : undefined;
  }

  /** Answer for the code that waits. If it was edited, the text of its cell runs. */
  async approve(decision: Decision): Promise<void> {
    await this.turn?.canvas.settled();
    const block = this.turn?.cells.at(-1);
    const cell = this.waiting;
    if (block?.kind !== "block" || !block.approval || !cell) return;
    const code = cell.document.getText();
    const runs = decision === "run" || decision === "always";
    const isEdited = runs && code !== sourceOf(block);
    this.enter(runs ? "running" : "thinking");
    await this.daemon.request("oi/approve", {
      conversation: this.id,
      approval: block.approval,
      decision,
      ...(isEdited && { code }),
    });
    if (decision === "always") await this.readSettings();
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

  /** Ask before each block again. */
  async askAgain(): Promise<void> {
    const settings = { auto_run: false };
    await this.daemon.request("oi/settings/set", { conversation: this.id, settings });
    await this.readSettings();
  }

  /** Show what the daemon has, and the person's drafts. */
  async reread(): Promise<void> {
    const { messages } = await this.daemon.request("oi/history/get", { conversation: this.id });
    const drafts = draftsOf(this.notebook.getCells().map(dataFrom));
    const cells = withDrafts(cellsOf(messages).map(dataOf), drafts);
    const edit = new vscode.WorkspaceEdit();
    const all = new vscode.NotebookRange(0, this.notebook.cellCount);
    edit.set(this.notebook.uri, [vscode.NotebookEdit.replaceCells(all, cells)]);
    this.failed = undefined;
    await vscode.workspace.applyEdit(edit);
    await this.save();
    await this.readSettings();
  }

  /** Learn from the daemon whether code runs without a question. */
  async readSettings(): Promise<void> {
    const { auto_run } = await this.daemon.request("oi/settings/get", { conversation: this.id });
    if (auto_run === this.autoRun) return;
    this.autoRun = auto_run;
    this.changes.fire();
  }

  /** Process a chunk of this conversation. */
  receive(params: ChunkParams): void {
    const { chunk, state } = params;
    if ("background" in chunk) return; // it belongs to no turn
    if ("notice" in chunk) this.notify(chunk.notice);
    if (!this.turn) return;
    if (state !== "retrying") this.retry = undefined;
    this.activity.add(params);
    this.show(fold(this.turn.cells, params));
    this.setState(state);
    if ("input" in chunk && params.input) void this.askForInput(params.input, chunk.input);
  }

  dispose(): void {
    this.turn?.input.cancel();
    if (this.turn) void this.stop().catch(() => {});
    this.changes.dispose();
  }

  private async run(cells: Cells, at: vscode.NotebookCell | undefined, work: () => Promise<TurnResult>) {
    if (this.turn) throw new Error(vscode.l10n.t("A turn is under way: wait for it, or stop it."));
    await this.removeFailure();
    const canvas = new Canvas(this.notebook, this.controller, (last) => this.drawn(last));
    if (at) canvas.adopt(cells[0] as Cell, at);
    this.turn = { cells, canvas, input: new vscode.CancellationTokenSource() };
    this.enter("thinking");
    this.show(cells);
    try {
      await work();
      this.daemon.resetFailures();
    } catch (error) {
      this.fail(error);
      throw error;
    } finally {
      await this.finish();
    }
  }

  private fail(error: unknown): void {
    const turn = this.turn as Turn;
    const cells = settle(turn.cells);
    this.failed = { turn, kept: isAnswered(cells) ? cells : [] };
    this.show([...cells, { kind: "failure", text: explain(error) }]);
  }

  private async finish(): Promise<void> {
    const { canvas, cells, input } = this.turn as Turn;
    input.cancel();
    this.retry = undefined;
    this.show(settle(cells));
    await canvas.finish();
    this.turn = undefined;
    this.enter("idle");
    await this.save();
    await this.readSettings().catch(() => {}); // the daemon may have ended
  }

  private async removeFailure(): Promise<void> {
    if (!this.failed) return;
    const { turn, kept } = this.failed;
    this.failed = undefined;
    turn.canvas.draw(kept);
    await turn.canvas.settled();
  }

  private drawn(last: vscode.NotebookCell): void {
    this.follow(last);
    if (this.state !== "thinking") this.changes.fire(); // now there is a cell to answer for, or to mark
  }

  private show(cells: Cells): void {
    const turn = this.turn as Turn;
    turn.cells = cells;
    turn.canvas.draw(cells);
  }

  /** Show what a person must know now. A retry belongs to the state and is shown with it. */
  private notify({ kind, message }: Notice): void {
    if (kind === "retry") this.retry = message;
    else if (kind === "save" || kind === "limit") void vscode.window.showWarningMessage(message);
    else if (kind !== "loading") void vscode.window.showInformationMessage(message);
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
    const params = { conversation: this.id, input, value: value ?? null };
    await this.daemon.request("oi/input", params).catch(showError);
  }

  /** Take a state that no chunk has told. */
  private enter(state: ConversationState): void {
    this.activity.enter(state);
    this.setState(state);
  }

  private setState(state: ConversationState): void {
    const mayHaveNews = state === "running" || state === "retrying"; // another line, another notice
    if (state === this.state && !mayHaveNews) return;
    this.state = state;
    this.changes.fire();
  }

  /** Save the drafts. The daemon saves the conversation by itself. */
  private async save(): Promise<void> {
    if (!this.notebook.isClosed) await this.notebook.save();
  }
}
