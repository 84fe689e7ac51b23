/** What the status bar's item offers: the model, the cost, consent, and the daemon. */

import * as vscode from "vscode";
import type { Conversations } from "./conversations";
import type { Daemon } from "./daemon";
import type { ConversationStatus } from "./protocol";

interface Entry extends vscode.QuickPickItem {
  readonly command?: string;
}

export async function showMenu(conversations: Conversations, daemon: Daemon): Promise<void> {
  const entries = entriesOf(conversations, daemon);
  const chosen = await vscode.window.showQuickPick(entries, { title: "Open Interpreter" });
  if (chosen?.command) await vscode.commands.executeCommand(chosen.command);
}

async function entriesOf({ current }: Conversations, daemon: Daemon): Promise<Entry[]> {
  const { t } = vscode.l10n;
  const status = daemon.state === "running" ? await daemon.request("oi/status", {}) : undefined;
  const known = status?.conversations.find(({ conversation }) => conversation === current?.id);
  const model = known?.model ?? vscode.workspace.getConfiguration("oi").get("model", "");
  const isBusy = current && current.state !== "idle";
  const waits = current?.state === "approval";
  return [
    ...(waits ? [entry("play", t("Run the Code That Waits"), "oi.approve")] : []),
    ...(isBusy ? [entry("debug-stop", t("Stop"), "oi.stop", current.activity.words(model))] : []),
    ...(current?.autoRun ? [entry("shield", t("Ask Before Running Code Again"), "oi.ask")] : []),
    entry("comment-discussion", t("Chat..."), "oi.chat"),
    entry("add", t("New Conversation"), "oi.newConversation"),
    entry("history", t("Open Conversation..."), "oi.openConversation"),
    separator(t("Model")),
    entry("circuit-board", t("Choose Model..."), "oi.chooseModel", model),
    entry("key", t("Set API Key..."), "oi.setApiKey"),
    ...(known ? [{ label: `$(credit-card) ${costOf(known)}` }] : []),
    separator(t("Daemon")),
    ...(status?.problems ?? []).map((problem) => entry("warning", problem, "oi.showLog")),
    entry("debug-restart", t("Restart Daemon"), "oi.restartDaemon", daemon.shared ? t("shared") : ""),
    entry("output", t("Show Log"), "oi.showLog"),
  ];
}

/** What a conversation has used, in words. */
function costOf({ usage, cost }: ConversationStatus): string {
  const tokens = usage.input_tokens + usage.output_tokens;
  const { t } = vscode.l10n;
  if (usage.unpriced > 0 && cost === 0) return t("{0} tokens, at a price that is not known", tokens);
  return t("{0} tokens, {1}", tokens, `$${cost.toFixed(4)}`);
}

function entry(icon: string, label: string, command: string, description = ""): Entry {
  return { label: `$(${icon}) ${label}`, command, description };
}

function separator(label: string): Entry {
  return { label, kind: vscode.QuickPickItemKind.Separator };
}
