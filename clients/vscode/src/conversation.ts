/** One conversation: its turn, what waits for the person, and the notebook that shows it. */

import * as vscode from "vscode";
import { Activity } from "./activity";
import { seen } from "./attached";
import { Canvas } from "./canvas";
import { sourceOf } from "./cells";
import { type Daemon, DaemonEndedError } from "./daemon";
import { kindOf, showError } from "./errors";
import type { Block, Cell, Cells } from "./fold";
import { InputBox, trace } from "./input";
import { toDaemon } from "./languages";
import { showNotice } from "./notice";
import type {
  ApproveParams,
  Chunk,
  ChunkParams,
  ConversationState,
  TurnResult,
  WaitingInput,
} from "./protocol";
import { forgetFailures, keepQuestion, reportFailure } from "./question";
import { disown, isOurs, reconcile } from "./reconcile";
import { Executions } from "./traceback";
import { type Beginning, Turn } from "./turn";

export type Decision = ApproveParams["decision"];
type Event = Extract<Chunk, { event: unknown }>["event"];

/** What a conversation needs of the window. */
export interface Surroundings {
  readonly daemon: Daemon;
  readonly controller: vscode.NotebookController;
  /** Keeps a cell in view. */
  readonly follow: (cell: vscode.NotebookCell) => void;
  /** Makes sure that code can run in the notebook. */
  readonly prepare: (conversation: Conversation) => Promise<void>;
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
  private readonly executions = new Executions();
  private readonly box = new InputBox();
  private readonly daemon: Daemon;
  private turn: Turn | undefined;
  /** `seq` of the last chunk that `oi/attach` has told of. */
  private lastSeq = 0;
  /** Whether its notebook is shown no more. */
  private isLeft = false;
  /** Whether the notebook is just brought in line with the conversation. */
  private isDrawing = false;
  private attached: Promise<void> | undefined;
  /** The end of the latest turn, or of what shows the conversation as the daemon has it. */
  private settling: Promise<void> = Promise.resolve();
  /** The turn during which the connection was lost: the daemon may not have heard its question. */
  private unheard: Turn | undefined;

  constructor(
    readonly id: string,
    readonly notebook: vscode.NotebookDocument,
    private readonly surroundings: Surroundings,
  ) {
    this.daemon = surroundings.daemon;
  }

  /** Follow what happens in it, whoever begins it, from what there is now. */
  attach(): Promise<void> {
    this.attached ??= this.orForget(this.synchroniseNext());
    return this.attached;
  }

  /** Follow it again, after the connection was lost. */
  async reattach(): Promise<void> {
    if (!this.attached) return;
    this.attached = undefined;
    await this.attach();
  }

  /**
   * Ask the model. Resolves when its turn has ended.
   * @param question What the person has written.
   * @param message The same with what it mentions.
   */
  async ask(
    question: string,
    message: string,
    settings: () => Promise<Record<string, unknown>>,
  ): Promise<void> {
    await this.settled();
    if (this.turn) {
      await keepQuestion(this.notebook, question);
      throw new Error(vscode.l10n.t("A turn is under way: your message is kept in a cell. Send it later."));
    }
    await forgetFailures(this.notebook, question);
    const cells: Cells = [{ kind: "words", role: "user", text: message }];
    await this.run(cells, { question }, async () =>
      this.daemon.request("oi/stream", { conversation: this.id, message, settings: await settings() }),
    );
  }

  /** Run the code in a cell, without a question. */
  async execute(cell: vscode.NotebookCell): Promise<void> {
    const language = toDaemon(cell.document.languageId);
    const code = cell.document.getText();
    const block: Block = { kind: "block", language, code, outputs: [], state: "writing" };
    await this.run([block], { at: cell }, () =>
      this.daemon.request("oi/execute", { conversation: this.id, language, code }),
    );
  }

  /** The cell whose code waits for an answer, once it shows all of it. */
  get waiting(): vscode.NotebookCell | undefined {
    const { turn } = this;
    return this.state === "approval" && !turn?.canvas.isStale ? turn?.last?.cell : undefined;
  }

  /** The block that runs now, and its cell. */
  get running(): { readonly block: Block; readonly cell: vscode.NotebookCell } | undefined {
    const { block, cell } = this.turn?.last ?? {};
    return block?.state === "running" && cell ? { block, cell } : undefined;
  }

  /** Answer for the code that waits. If it was edited, the text of its cell runs. */
  async approve(decision: Decision): Promise<void> {
    await this.turn?.canvas.settled();
    const block = this.turn?.last?.block;
    const cell = this.waiting;
    if (!block?.approval || !cell) return;
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
    await this.refresh();
  }

  async reset(): Promise<void> {
    await this.daemon.request("oi/history/reset", { conversation: this.id });
    await this.refresh();
  }

  /** Ask before each block again. */
  async askAgain(): Promise<void> {
    const settings = { auto_run: false };
    await this.daemon.request("oi/settings/set", { conversation: this.id, settings });
    await this.readSettings();
  }

  /** Cells were added or removed: pasted, deleted, or by an undo of the editor. The conversation is as it was. */
  changed(changes: readonly vscode.NotebookDocumentContentChange[]): void {
    if (this.turn || this.isDrawing || !this.attached) return;
    const added = changes.flatMap(({ addedCells }) => addedCells).filter(isOurs);
    const removed = changes.flatMap(({ removedCells }) => removedCells).filter(isOurs);
    if (added.length + removed.length === 0) return;
    disown(this.notebook, added)
      .then(() => this.refresh())
      .catch(showError);
  }

  /** Process a chunk of this conversation. */
  receive(params: ChunkParams): void {
    const { chunk, state, seq } = params;
    if ("background" in chunk || seq <= this.lastSeq) return; // it belongs to no turn, or is known already
    if ("event" in chunk) this.handle(chunk.event, state);
    if ("notice" in chunk) this.notify(chunk.notice);
    if ("event" in chunk || !this.turn) return;
    if (state !== "retrying") this.retry = undefined;
    this.activity.add(params);
    this.turn.add(params);
    this.setState(state);
    if ("input" in chunk && params.input) this.askForInput({ id: params.input, ...chunk.input });
  }

  /** Leave it. What runs or waits goes on in the shared daemon; a private one stops it, because nobody can see it. */
  dispose(): void {
    this.isLeft = true;
    this.box.close();
    this.turn?.canvas.leave();
    if (this.daemon.state === "running" && this.daemon.shared && this.attached)
      this.daemon.request("oi/detach", { conversation: this.id }).catch(() => {});
    else if (this.daemon.state === "running" && this.turn) this.stop().catch(() => {});
    this.changes.dispose();
  }

  /** Show what the daemon has now, with the person's drafts, and follow the turn under way. */
  private async synchronise(): Promise<void> {
    const attached = await this.daemon.request("oi/attach", { conversation: this.id });
    if (this.turn || this.isLeft) return; // a turn that has begun in the meantime shows itself
    const { settled, open, isBusy } = seen(attached);
    this.lastSeq = attached.last_seq;
    this.setAutoRun(attached.settings.auto_run);
    const adopted = this.bring(settled, open[0], isBusy);
    if (isBusy) {
      this.begin(open, { isOwn: false, ready: adopted });
      this.enter(attached.state, open.at(-1));
      if (attached.turn?.input) this.askForInput(attached.turn.input);
    }
    await adopted;
    if (!isBusy) {
      this.enter("idle");
      await this.save();
    }
    const last = this.notebook.getCells().at(-1);
    if (last) this.surroundings.follow(last);
  }

  /** Make the notebook show the settled cells. Resolves to what may be adopted by the turn under way. */
  private async bring(settled: Cells, next: Cell | undefined, isBusy: boolean) {
    const { unheard } = this;
    this.unheard = undefined;
    this.isDrawing = true;
    const { open } = await reconcile(this.notebook, settled, next).finally(() => {
      this.isDrawing = false;
    });
    const heard = settled.findLast((cell) => cell.kind === "words" && cell.role === "user");
    if (unheard?.question !== undefined && !(heard?.kind === "words" && heard.text === unheard.message))
      await keepQuestion(this.notebook, unheard.question);
    if (isBusy) await this.becomeReady();
    return open;
  }

  private async becomeReady(): Promise<undefined> {
    await this.surroundings.prepare(this).catch(showError);
  }

  /** Show what the daemon has, unless a turn shows it already. */
  private async refresh(): Promise<void> {
    if (!this.turn) await this.synchroniseNext();
  }

  private synchroniseNext(): Promise<void> {
    const done = this.settling.then(() => this.synchronise());
    this.settling = done.catch(() => {});
    return done;
  }

  /** Wait until the notebook shows what there is. */
  private async settled(): Promise<void> {
    await this.attached?.catch(() => {});
    await this.settling;
  }

  /** Process what another client has done, or this one. */
  private handle(event: Event, state: ConversationState): void {
    const { turn } = this;
    const { kind, message, approval, input } = event;
    if (kind === "begun" && !turn?.isOwn) this.beginOthers(message);
    if (kind === "answered" && approval && this.state === "approval") this.enter(state);
    if (kind === "answered" && input) this.box.close(input);
    if (kind === "ended" && turn && !turn.isOwn) this.endOthers(turn, event).catch(showError);
    if (kind === "changed") (turn ? this.readSettings() : this.refresh()).catch(showError);
  }

  /** Show a turn that another client has begun. */
  private beginOthers(message: string | undefined): void {
    const words: Cells = message === undefined ? [] : [{ kind: "words", role: "user", text: message }];
    if (this.turn) this.turn.precede(words);
    else this.begin(words, { isOwn: false, ready: this.settling.then(() => this.becomeReady()) });
    this.enter("thinking");
  }

  private async endOthers(turn: Turn, { status, message }: Event): Promise<void> {
    await this.finish(turn);
    await this.refresh();
    if (status === "failed" && message) await reportFailure(this.notebook, "", message);
  }

  private begin(
    cells: Cells,
    {
      at,
      ready,
      ...beginning
    }: Beginning & { at?: vscode.NotebookCell; ready?: Promise<vscode.NotebookCell | undefined> },
  ): Turn {
    const drawn = (last: vscode.NotebookCell) => this.drawn(last);
    const canvas = new Canvas(this.notebook, this.surroundings.controller, drawn, this.executions, ready);
    if (at) canvas.adopt(cells[0] as Cell, at);
    this.turn = new Turn(cells, canvas, beginning);
    return this.turn;
  }

  private async run(
    cells: Cells,
    where: { question?: string; at?: vscode.NotebookCell },
    work: () => Promise<TurnResult>,
  ): Promise<void> {
    await this.settled();
    if (this.turn) throw new Error(vscode.l10n.t("A turn is under way: wait for it, or stop it."));
    const turn = this.begin(cells, { isOwn: true, ...where });
    this.enter("thinking");
    try {
      await this.attachEmpty();
      await work();
      this.daemon.resetFailures();
      await this.finish(turn);
    } catch (error) {
      await this.fail(turn, error);
    }
  }

  /** Follow a conversation that was begun here: what others do in it from now on. */
  private async attachEmpty(): Promise<void> {
    const attach = async () => {
      const { settings } = await this.daemon.request("oi/attach", { conversation: this.id });
      this.setAutoRun(settings.auto_run);
    };
    this.attached ??= this.orForget(attach());
    await this.attached;
  }

  private orForget(attaching: Promise<void>): Promise<void> {
    return attaching.catch((error: unknown) => {
      this.attached = undefined;
      throw error;
    });
  }

  /** End a turn that could not go on, and keep what was asked. */
  private async fail(turn: Turn, error: unknown): Promise<void> {
    if (this.isLeft) return;
    const { question, isAnswered } = turn;
    if (error instanceof DaemonEndedError) {
      this.unheard = turn;
      return this.finish(turn);
    }
    if (question !== undefined && !isAnswered) turn.clear();
    await this.finish(turn);
    if (question === undefined) throw error;
    await reportFailure(this.notebook, isAnswered ? "" : question, error);
    if (kindOf(error) === "busy") await this.refresh();
  }

  private async finish(turn: Turn): Promise<void> {
    this.box.close();
    this.retry = undefined;
    const ended = this.end(turn);
    this.settling = ended.catch(() => {});
    await ended;
  }

  private async end(turn: Turn): Promise<void> {
    await turn.end();
    if (this.turn === turn) this.turn = undefined;
    if (this.isLeft) return;
    this.enter("idle");
    await this.save();
    await this.readSettings().catch(() => {}); // the daemon may have ended
  }

  private drawn(last: vscode.NotebookCell): void {
    this.surroundings.follow(last);
    if (this.state !== "thinking") this.changes.fire(); // now there is a cell to answer for, or to mark
  }

  private notify(notice: Extract<Chunk, { notice: unknown }>["notice"]): void {
    if (notice.kind === "retry") this.retry = notice.message;
    else showNotice(notice);
  }

  private askForInput(waiting: WaitingInput): void {
    const answer = async () => {
      const value = await this.box.ask(waiting);
      if (value === undefined) return;
      this.turn?.echo(trace(waiting, value));
      await this.daemon.request("oi/input", { conversation: this.id, input: waiting.id, value });
    };
    answer().catch(showError);
  }

  /** Learn from the daemon whether code runs without a question. */
  private async readSettings(): Promise<void> {
    const { auto_run } = await this.daemon.request("oi/settings/get", { conversation: this.id });
    this.setAutoRun(auto_run);
  }

  private setAutoRun(autoRun: boolean): void {
    if (autoRun === this.autoRun) return;
    this.autoRun = autoRun;
    this.changes.fire();
  }

  /** Take a state that no chunk has told. */
  private enter(state: ConversationState, last?: Cell): void {
    this.activity.enter(state, last?.kind === "block" ? last.language : undefined);
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
