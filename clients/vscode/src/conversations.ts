/** The open conversations, each in its notebook. Knows which of them a command means. */

import { randomBytes } from "node:crypto";
import * as vscode from "vscode";
import { isDeclined, MESSAGE, NOTEBOOK } from "./cells";
import { Conversation, type Surroundings } from "./conversation";
import { enter } from "./cursor";
import type { Daemon, Restart } from "./daemon";
import { type Drafts, NONE } from "./drafts";
import { showError } from "./errors";
import { idOf, SCHEME, uriOf } from "./files";
import { Follower } from "./follower";
import type { Mentions } from "./mention";
import { isUnanswered } from "./question";

export class Conversations implements vscode.Disposable {
  private readonly changes = new vscode.EventEmitter<Conversation>();
  /** Fired when something of a conversation has changed that is shown, or when another one is in front. */
  readonly onChange = this.changes.event;
  private readonly open = new Map<string, Conversation>();
  private readonly scope: vscode.Disposable[] = [];
  /** What the notebooks of conversations begin with that were begun here, and of which the daemon knows nothing yet. */
  private readonly begun = new Map<string, Drafts>();
  /** Ids of conversations that were begun here and not left since, so that there is nothing to attach to. */
  private readonly fresh = new Set<string>();
  /** Ids of those that have no title yet. */
  private readonly untitled = new Set<string>();
  /** Notebooks that have our controller, so that code can run in them. */
  private readonly associated = new Set<vscode.NotebookDocument>();
  private readonly follower = new Follower();
  private latest: Conversation | undefined;

  constructor(
    daemon: Daemon,
    private readonly settings: () => Promise<Record<string, unknown>>,
    private readonly mentions: Mentions,
  ) {
    this.controller = vscode.notebooks.createNotebookController("oi-daemon", NOTEBOOK, "Open Interpreter");
    this.controller.supportsExecutionOrder = true;
    this.controller.executeHandler = (cells) => this.execute(cells).catch(showError);
    this.controller.interruptHandler = (notebook) => this.of(notebook).stop();
    this.surroundings = {
      daemon,
      controller: this.controller,
      follow: (cell) => this.follower.follow(cell),
      prepare: (conversation) => this.prepare(conversation),
    };
    this.scope.push(
      this.controller,
      this.controller.onDidChangeSelectedNotebooks(({ notebook, selected }) => {
        if (selected) this.associated.add(notebook);
        else this.associated.delete(notebook);
      }),
      daemon.onChunk((params) => this.open.get(params.conversation)?.receive(params)),
      daemon.onRestart((restart) => void this.restarted(restart).catch(showError)),
      vscode.window.tabGroups.onDidChangeTabs(({ closed }) => closed.length > 0 && this.leaveUnseen()),
      vscode.workspace.onDidOpenNotebookDocument((notebook) => this.opened(notebook)),
      vscode.workspace.onDidChangeNotebookDocument(({ notebook, contentChanges }) => {
        if (isConversation(notebook)) this.open.get(idOf(notebook.uri))?.changed(contentChanges);
      }),
      vscode.workspace.onDidCloseNotebookDocument((notebook) => this.close(notebook)),
      vscode.window.onDidChangeActiveNotebookEditor(() => this.focusMoved()),
      this.follower,
    );
    for (const notebook of vscode.workspace.notebookDocuments) this.opened(notebook);
  }

  readonly controller: vscode.NotebookController;
  private readonly surroundings: Surroundings;

  /** The conversation in front; otherwise the one that was used last, if it still has a tab. */
  get current(): Conversation | undefined {
    const notebook = vscode.window.activeNotebookEditor?.notebook;
    if (notebook && isConversation(notebook) && hasTab({ notebook })) return this.of(notebook);
    return this.latest && hasTab(this.latest) ? this.latest : undefined;
  }

  /** The conversation that a notebook shows. */
  of(notebook: vscode.NotebookDocument): Conversation {
    const id = idOf(notebook.uri);
    const known = this.open.get(id);
    if (known) return known;
    const conversation = new Conversation(id, notebook, this.surroundings);
    this.open.set(id, conversation);
    conversation.onChange(() => this.changes.fire(conversation));
    return conversation;
  }

  each(work: (conversation: Conversation) => void): void {
    this.open.forEach(work);
  }

  /** What a conversation begins with that was begun here; undefined if the daemon may know of it. */
  beginningOf(id: string): Drafts | undefined {
    return this.begun.get(id);
  }

  /** Ask in the conversation, or in a new one. */
  async ask(message: string, conversation?: Conversation): Promise<void> {
    const asked = conversation
      ? await this.entitle(conversation, message)
      : await this.show(undefined, message);
    await this.prepare(asked);
    await asked.ask(message, await this.mentions.expand(message), this.settings);
  }

  /** Ask what is in a message cell. Where an answer was broken off, an empty one lets the model go on. */
  async send(cell: vscode.NotebookCell): Promise<void> {
    const conversation = this.of(cell.notebook);
    const written = cell.document.getText().trim();
    const message = written || (isUnanswered(cell) ? vscode.l10n.t("Please go on.") : "");
    if (!message) return;
    const edit = new vscode.WorkspaceEdit();
    const range = new vscode.NotebookRange(cell.index, cell.index + 1);
    edit.set(cell.notebook.uri, [vscode.NotebookEdit.deleteCells(range)]);
    await vscode.workspace.applyEdit(edit);
    await this.ask(message, conversation);
  }

  /** Show a new conversation, with a message cell that has the cursor. */
  async showNew(text = ""): Promise<void> {
    const added = [{ after: 0, kind: vscode.NotebookCellKind.Code, language: MESSAGE, text }];
    const { id, notebook } = await this.show(this.begin({ edits: [], added }));
    this.untitled.add(id);
    await enter(notebook.cellAt(0));
  }

  /** Give a conversation that has none the title of its first message: a notebook in place of the one without. */
  private async entitle(conversation: Conversation, title: string): Promise<Conversation> {
    const { id, notebook } = conversation;
    if (!this.untitled.delete(id) || notebook.cellCount > 0) return conversation;
    await notebook.save();
    this.begun.set(id, NONE);
    const entitled = await vscode.workspace.openNotebookDocument(uriOf(id, title));
    this.begun.delete(id);
    conversation.dispose();
    this.open.delete(id);
    const other = this.of(entitled);
    await vscode.window.showNotebookDocument(entitled, { preview: false });
    const tab = tabOf(conversation); // looked up only now, because tabs are other objects after a change
    // A tab that cannot be closed stays: the message must be asked all the same.
    if (tab) await vscode.window.tabGroups.close(tab, true).then(undefined, () => false);
    return other;
  }

  /** Show a conversation in its notebook. Without an id, a new one. */
  async show(id = this.begin(), title = vscode.l10n.t("New Conversation")): Promise<Conversation> {
    const known = this.open.get(id)?.notebook.uri;
    const notebook = await vscode.workspace.openNotebookDocument(known ?? uriOf(id, title));
    this.begun.delete(id);
    await vscode.window.showNotebookDocument(notebook, { preview: false });
    this.opened(notebook);
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
      else if (cell.document.languageId === MESSAGE) await this.send(cell);
      else await conversation.execute(cell);
    }
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

  /** Follow a conversation whose notebook has been opened, if the daemon may know more of it. */
  private opened(notebook: vscode.NotebookDocument): void {
    if (!isConversation(notebook) || this.fresh.has(idOf(notebook.uri))) return;
    const conversation = this.of(notebook);
    if (hasTab(conversation)) conversation.attach().catch(showError);
  }

  /** Show what is there after the connection to the daemon was lost, and say what is not. */
  private async restarted({ isSame }: Restart): Promise<void> {
    await Promise.all([...this.open.values()].map((conversation) => conversation.reattach()));
    if (isSame || this.open.size === 0) return;
    void vscode.window.showWarningMessage(
      vscode.l10n.t("oi-daemon was started anew. The conversations are all there; their variables are lost."),
    );
  }

  /** Leave the conversations whose tab was closed. */
  private leaveUnseen(): void {
    for (const conversation of [...this.open.values()].filter((each) => !hasTab(each)))
      this.leave(conversation);
  }

  private leave(conversation: Conversation): void {
    conversation.dispose();
    this.open.delete(conversation.id);
    this.fresh.delete(conversation.id);
    if (this.latest === conversation) this.latest = undefined;
    this.changes.fire(conversation);
  }

  private close(notebook: vscode.NotebookDocument): void {
    const id = idOf(notebook.uri);
    const conversation = this.open.get(id);
    if (conversation?.notebook === notebook) this.leave(conversation);
  }

  /** An id for a new conversation. */
  private begin(drafts = NONE): string {
    const id = randomBytes(6).toString("hex");
    this.begun.set(id, drafts);
    this.fresh.add(id);
    return id;
  }

  private focusMoved(): void {
    const notebook = vscode.window.activeNotebookEditor?.notebook;
    if (!notebook || !isConversation(notebook)) return;
    this.latest = this.of(notebook);
    this.opened(notebook);
    this.changes.fire(this.latest);
  }
}

function isConversation(notebook: vscode.NotebookDocument): boolean {
  return notebook.notebookType === NOTEBOOK && notebook.uri.scheme === SCHEME;
}

type Shown = Pick<Conversation, "notebook">;

function hasTab(conversation: Shown): boolean {
  return tabOf(conversation) !== undefined;
}

function tabOf({ notebook }: Shown): vscode.Tab | undefined {
  const uri = notebook.uri.toString();
  return vscode.window.tabGroups.all
    .flatMap(({ tabs }) => tabs)
    .find(({ input }) => input instanceof vscode.TabInputNotebook && input.uri.toString() === uri);
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
