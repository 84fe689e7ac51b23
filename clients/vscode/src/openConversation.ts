/** The list of conversations: those that run first, then the saved ones; what is typed is searched in their text. */

import * as vscode from "vscode";
import type { Conversations } from "./conversations";
import type { Daemon } from "./daemon";
import { showError } from "./errors";
import type { ConversationState, HistoryEntry } from "./protocol";

/** Milliseconds without a key after which the search begins. */
const PAUSE = 150;
const PAGE = 500;

const ICONS: Record<ConversationState, string> = {
  idle: "comment",
  thinking: "loading~spin",
  running: "sync~spin",
  approval: "question",
  input: "question",
  retrying: "watch",
};

interface Item extends vscode.QuickPickItem {
  readonly entry?: HistoryEntry;
}

export function openConversation(conversations: Conversations, daemon: Daemon): Promise<void> {
  const list = new List(daemon);
  return new Promise((resolve) => {
    list.picker.onDidAccept(() => {
      const entry = list.picker.selectedItems[0]?.entry;
      list.picker.hide();
      if (entry) conversations.show(entry.conversation, titleOf(entry)).catch(showError);
    });
    list.picker.onDidHide(() => {
      list.dispose();
      resolve();
    });
    list.show();
  });
}

class List {
  readonly picker = vscode.window.createQuickPick<Item>();
  private readonly remove = { iconPath: new vscode.ThemeIcon("trash"), tooltip: vscode.l10n.t("Delete...") };
  /** The state of each conversation that the daemon has in memory. */
  private states = new Map<string, ConversationState>();
  /** Number of the latest search. The results of earlier ones are not shown. */
  private search = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly daemon: Daemon) {
    this.picker.placeholder = vscode.l10n.t("Open a conversation, or search in all of them");
    this.picker.onDidChangeValue(() => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.load(), PAUSE);
    });
    this.picker.onDidTriggerItemButton(({ item }) => {
      if (item.entry) void this.delete(item.entry).catch(showError);
    });
  }

  show(): void {
    this.picker.show();
    this.load();
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.search++;
    this.picker.dispose();
  }

  private load(): void {
    const search = ++this.search;
    this.picker.busy = true;
    this.fill(search)
      .catch(showError)
      .finally(() => {
        if (search === this.search) this.picker.busy = false;
      });
  }

  /** Show the first page of what is found, then the others. */
  private async fill(search: number): Promise<void> {
    const query = this.picker.value.trim();
    const { conversations } = await this.daemon.request("oi/status", {});
    this.states = new Map(conversations.map(({ conversation, state }) => [conversation, state]));
    const found: HistoryEntry[] = [];
    let cursor: string | null | undefined;
    do {
      const page = await this.daemon.request("oi/history/list", {
        limit: PAGE,
        ...(query && { query }),
        ...(cursor && { cursor }),
      });
      if (search !== this.search) return;
      found.push(...page.conversations);
      this.offer(found, query);
      ({ cursor } = page);
    } while (cursor);
  }

  private offer(found: readonly HistoryEntry[], query: string): void {
    const { t } = vscode.l10n;
    const isRunning = ({ conversation }: HistoryEntry) =>
      (this.states.get(conversation) ?? "idle") !== "idle";
    const running = found.filter(isRunning);
    const saved = found.filter((entry) => !isRunning(entry));
    const separator = (label: string) => ({ label, kind: vscode.QuickPickItemKind.Separator });
    const active = this.picker.activeItems[0]?.entry?.conversation;
    this.picker.keepScrollPosition = true;
    this.picker.items = [
      ...(running.length > 0 ? [separator(t("Running"))] : []),
      ...running.map((entry) => this.item(entry)),
      ...(running.length > 0 && saved.length > 0 ? [separator(t("Saved"))] : []),
      ...saved.map((entry) => this.item(entry)),
    ];
    const again = this.picker.items.find(({ entry }) => entry && entry.conversation === active);
    if (again) this.picker.activeItems = [again];
    if (found.length === 0)
      this.picker.items = [
        {
          label: query ? t("Nothing is found.") : t("There is no saved conversation yet."),
          alwaysShow: true,
        },
      ];
  }

  private item(entry: HistoryEntry): Item {
    const state = this.states.get(entry.conversation);
    const { t } = vscode.l10n;
    const count = entry.messages === 1 ? t("1 message") : t("{0} messages", entry.messages);
    return {
      entry,
      label: state && state !== "idle" ? `$(${ICONS[state]}) ${titleOf(entry)}` : titleOf(entry),
      description: new Date(entry.updated).toLocaleString(),
      detail: entry.snippet ? `${count} · ${entry.snippet}` : count,
      buttons: [this.remove],
      alwaysShow: true, // what it matches is decided by the search
    };
  }

  private async delete(entry: HistoryEntry): Promise<void> {
    const { t } = vscode.l10n;
    const yes = t("Delete");
    const options = {
      modal: true,
      detail: t("Its file and its variables are removed. This cannot be undone."),
    };
    this.picker.ignoreFocusOut = true;
    const question = t('Delete "{0}"?', titleOf(entry));
    const chosen = await vscode.window.showWarningMessage(question, options, yes);
    this.picker.ignoreFocusOut = false;
    if (chosen !== yes) return;
    await this.daemon.request("oi/history/delete", { conversation: entry.conversation });
    this.load();
  }
}

function titleOf({ title, conversation }: HistoryEntry): string {
  return title || conversation;
}
