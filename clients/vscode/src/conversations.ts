/** The open conversations, each in its notebook. Knows which of them a command means. */

import { randomBytes } from "node:crypto";
import * as vscode from "vscode";
import { isDeclined, MESSAGE, NOTEBOOK } from "./cells";
import { Conversation } from "./conversation";
import { enter } from "./cursor";
import type { Daemon } from "./daemon";
import { showError } from "./errors";
import { idOf, SCHEME, uriOf } from "./files";
import { Follower } from "./follower";

export class Conversations implements vscode.Disposable {
  private readonly changes = new vscode.EventEmitter<Conversation>();
  /** Fired when something of a conversation has changed that is shown, or when another one is in front. */
  readonly onChange = this.changes.event;
  private readonly open = new Map<string, Conversation>();
  private readonly scope: vscode.Disposable[] = [];
  /** Ids of conversations that were begun here and of which the daemon knows nothing yet. */
  private readonly begun = new Set<string>();
  /** Notebooks that have our controller, so that code can run in them. */
  private readonly associated = new Set<vscode.NotebookDocument>();
  private readonly follower = new Follower();
  private latest: Conversation | undefined;

  constructor(
    private readonly daemon: Daemon,
    private readonly settings: () => Promise<Record<string, unknown>>,
  ) {
    this.controller = vscode.notebooks.createNotebookController("oi-daemon", NOTEBOOK, "Open Interpreter");
    this.controller.supportsExecutionOrder = true;
    this.controller.executeHandler = (cells) => this.execute(cells).catch(showError);
    this.controller.interruptHandler = (notebook) => this.of(notebook).stop();
    this.scope.push(
      this.controller,
      this.controller.onDidChangeSelectedNotebooks(({ notebook, selected }) => {
        if (selected) this.associated.add(notebook);
        else this.associated.delete(notebook);
      }),
      daemon.onChunk((params) => this.open.get(params.conversation)?.receive(params)),
      daemon.onRestart(() => this.each((conversation) => conversation.reread().catch(showError))),
      vscode.window.tabGroups.onDidChangeTabs(({ closed }) => closed.length > 0 && this.stopUnseen()),
      vscode.workspace.onDidCloseNotebookDocument((notebook) => this.close(notebook)),
      vscode.window.onDidChangeActiveNotebookEditor(() => this.focusMoved()),
      this.follower,
    );
  }

  readonly controller: vscode.NotebookController;

  /** The conversation in front; otherwise the one that was used last, if it still has a tab. */
  get current(): Conversation | undefined {
    const notebook = vscode.window.activeNotebookEditor?.notebook;
    if (notebook && isConversation(notebook)) return this.of(notebook);
    return this.latest && hasTab(this.latest) ? this.latest : undefined;
  }

  /** The conversation that a notebook shows. */
  of(notebook: vscode.NotebookDocument): Conversation {
    const id = idOf(notebook.uri);
    const known = this.open.get(id);
    if (known) return known;
    const follow = (cell: vscode.NotebookCell) => this.follower.follow(cell);
    const conversation = new Conversation(id, notebook, this.daemon, this.controller, follow);
    this.open.set(id, conversation);
    conversation.onChange(() => this.changes.fire(conversation));
    return conversation;
  }

  each(work: (conversation: Conversation) => void): void {
    this.open.forEach(work);
  }

  /** Whether a conversation was begun here, and the daemon knows nothing of it yet. */
  isNew(id: string): boolean {
    return this.begun.has(id);
  }

  /** Ask in the conversation, or in a new one. */
  async ask(message: string, conversation?: Conversation): Promise<void> {
    const asked = conversation ?? (await this.show(undefined, message));
    await this.prepare(asked);
    await asked.ask(message, await this.settings());
  }

  /** Show a conversation in its notebook. Without an id, a new one. */
  async show(id = this.begin(), title = vscode.l10n.t("New Conversation")): Promise<Conversation> {
    const known = this.open.get(id)?.notebook.uri;
    const notebook = await vscode.workspace.openNotebookDocument(known ?? uriOf(id, title));
    this.begun.delete(id);
    await vscode.window.showNotebookDocument(notebook, { preview: false });
    return this.of(notebook);
  }

  /** Run a block of the person's own. */
  async runCode(code: string, languageId: string): Promise<void> {
    const conversation = this.current ?? (await this.show());
    const cell = await this.append(conversation, code, languageId);
    await this.prepare(conversation);
    await conversation.execute(cell);
  }

  /** Let the person write a message of several lines, in a cell of its own. */
  async compose(conversation: Conversation, text = ""): Promise<void> {
    await enter(await this.append(conversation, text, MESSAGE));
  }

  dispose(): void {
    this.each((conversation) => conversation.dispose());
    vscode.Disposable.from(...this.scope, this.changes).dispose();
  }

  /** Run cells, as the person asked for. Running a single one answers for it, or sends it. */
  private async execute(cells: readonly vscode.NotebookCell[]): Promise<void> {
    for (const cell of await withoutDeclined(cells)) {
      if (!isConversation(cell.notebook))
        throw new Error(
          vscode.l10n.t("A conversation in a file can be read, not run: open it by Open Conversation..."),
        );
      const conversation = this.of(cell.notebook);
      if (cells.length === 1 && cell === conversation.waiting) await conversation.approve("run");
      else if (cell.document.languageId === MESSAGE) await this.send(conversation, cell);
      else await conversation.execute(cell);
    }
  }

  private async send(conversation: Conversation, cell: vscode.NotebookCell): Promise<void> {
    const message = cell.document.getText().trim();
    if (!message) return;
    const edit = new vscode.WorkspaceEdit();
    const range = new vscode.NotebookRange(cell.index, cell.index + 1);
    edit.set(cell.notebook.uri, [vscode.NotebookEdit.deleteCells(range)]);
    await vscode.workspace.applyEdit(edit);
    await this.ask(message, conversation);
  }

  private async append({ notebook }: Conversation, text: string, languageId: string) {
    const edit = new vscode.WorkspaceEdit();
    const data = new vscode.NotebookCellData(vscode.NotebookCellKind.Code, text, languageId);
    const at = notebook.cellCount;
    edit.set(notebook.uri, [vscode.NotebookEdit.insertCells(at, [data])]);
    await vscode.workspace.applyEdit(edit);
    return notebook.cellAt(at);
  }

  /** Give the notebook our controller, so that code can run in it. VS Code needs an editor for that. */
  private async prepare({ notebook }: Conversation): Promise<void> {
    if (this.associated.has(notebook)) return;
    await vscode.window.showNotebookDocument(notebook, { preserveFocus: true });
    await vscode.commands.executeCommand("notebook.selectKernel", {
      id: this.controller.id,
      extension: "oi-daemon.open-interpreter",
    });
  }

  /** Stop what runs or waits in conversations without a tab, because nobody can see it. */
  private stopUnseen(): void {
    this.each((conversation) => {
      if (!hasTab(conversation)) void conversation.stop().catch(showError);
    });
  }

  private close(notebook: vscode.NotebookDocument): void {
    const id = idOf(notebook.uri);
    const conversation = this.open.get(id);
    if (conversation?.notebook !== notebook) return;
    conversation.dispose();
    this.open.delete(id);
    if (this.latest === conversation) this.latest = undefined;
  }

  /** An id for a new conversation. */
  private begin(): string {
    const id = randomBytes(6).toString("hex");
    this.begun.add(id);
    return id;
  }

  private focusMoved(): void {
    const notebook = vscode.window.activeNotebookEditor?.notebook;
    if (!notebook || !isConversation(notebook)) return;
    this.latest = this.of(notebook);
    this.changes.fire(this.latest);
  }
}

function isConversation(notebook: vscode.NotebookDocument): boolean {
  return notebook.notebookType === NOTEBOOK && notebook.uri.scheme === SCHEME;
}

function hasTab({ notebook }: Conversation): boolean {
  const uri = notebook.uri.toString();
  const inputs = vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs.map(({ input }) => input));
  return inputs.some((input) => input instanceof vscode.TabInputNotebook && input.uri.toString() === uri);
}

/** The cells to run. If the person runs several at once, declined blocks are among them only after a question. */
async function withoutDeclined(
  cells: readonly vscode.NotebookCell[],
): Promise<readonly vscode.NotebookCell[]> {
  const declined = cells.filter(isDeclined);
  if (cells.length === 1 || declined.length === 0) return cells;
  const { t } = vscode.l10n;
  const question = t("Some of these blocks were declined ({0}). Run them too?", declined.length);
  const [all, others] = [t("Run All"), t("Leave Them Out")];
  const chosen = await vscode.window.showWarningMessage(question, { modal: true }, all, others);
  if (chosen === all) return cells;
  return chosen === others ? cells.filter((cell) => !isDeclined(cell)) : [];
}
