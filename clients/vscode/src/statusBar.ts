/** The items in the status bar, and the context keys of the manifest's `when` clauses. */

import * as vscode from "vscode";
import type { Conversations } from "./conversations";
import type { Daemon } from "./daemon";
import type { ConversationState } from "./protocol";
import { configured } from "./settings";

const ICONS: Record<ConversationState, string> = {
  idle: "comment-discussion",
  thinking: "loading~spin",
  running: "sync~spin",
  approval: "question",
  input: "question",
  retrying: "watch",
};

export class StatusBar implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem("oi.status", vscode.StatusBarAlignment.Right, 90);
  /** Shown while code of the current conversation runs without a question. */
  private readonly always = vscode.window.createStatusBarItem(
    "oi.always",
    vscode.StatusBarAlignment.Right,
    89,
  );
  private readonly scope: vscode.Disposable[];
  private state: ConversationState = "idle";
  private retry: string | undefined;
  private model = "";
  private cost = 0;

  constructor(
    private readonly conversations: Conversations,
    private readonly daemon: Daemon,
  ) {
    this.item.name = "Open Interpreter";
    this.item.command = "oi.chat";
    this.always.name = vscode.l10n.t("Open Interpreter: Always");
    this.always.text = `$(run-all) ${vscode.l10n.t("Always runs code")}`;
    this.always.tooltip = vscode.l10n.t(
      "Code of this conversation runs without a question. Click to be asked again.",
    );
    this.always.backgroundColor = new vscode.ThemeColor("statusBarItem.warningBackground");
    this.always.command = "oi.ask";
    this.scope = [
      this.item,
      this.always,
      conversations.onChange(() => this.update()),
      daemon.onState(() => this.draw()),
      vscode.workspace.onDidChangeConfiguration(() => this.draw()),
    ];
    this.draw();
    this.item.show();
  }

  dispose(): void {
    vscode.Disposable.from(...this.scope).dispose();
  }

  private update(): void {
    const { current } = this.conversations;
    const state = current?.state ?? "idle";
    if (state === "idle" && this.daemon.state === "running") void this.refresh().catch(() => {});
    if (state !== this.state) void vscode.commands.executeCommand("setContext", "oi.state", state);
    const isChanged = state !== this.state || current?.retry !== this.retry;
    this.state = state;
    this.retry = current?.retry;
    if (current?.autoRun) this.always.show();
    else this.always.hide();
    if (isChanged) this.draw();
  }

  private async refresh(): Promise<void> {
    const { conversations } = await this.daemon.request("oi/status", {});
    const current = conversations.find(({ conversation }) => conversation === this.conversations.current?.id);
    if (!current) return;
    this.model = current.model;
    this.cost = current.cost;
    this.draw();
  }

  private draw(): void {
    const { state, daemon, cost } = this;
    const model = configured(["oi.model"]).model || this.model;
    const icon = daemon.state === "failed" ? "error" : ICONS[state];
    const parts = [`$(${icon}) ${model || "Open Interpreter"}`, cost >= 0.0001 ? `$${cost.toFixed(4)}` : ""];
    this.item.text = parts.filter(Boolean).join(" · ");
    const doing = this.retry ?? describe(state);
    this.item.tooltip = vscode.l10n.t("Open Interpreter: {0}. Daemon: {1}.", doing, daemon.state);
  }
}

function describe(state: ConversationState): string {
  const { t } = vscode.l10n;
  const all: Record<ConversationState, string> = {
    idle: t("ready"),
    thinking: t("the model writes"),
    running: t("code runs"),
    approval: t("code waits for your answer"),
    input: t("code waits for input"),
    retrying: t("the model's server is asked again soon"),
  };
  return all[state];
}
