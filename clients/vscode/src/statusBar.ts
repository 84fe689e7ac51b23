/** The items in the status bar, and the context keys of the manifest's `when` clauses. */

import * as vscode from "vscode";
import { WORDS } from "./activityWords";
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

const SECOND = 1000;

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
  /** Keeps the time that is shown up to date; only while the conversation is doing something. */
  private clock: NodeJS.Timeout | undefined;

  constructor(
    private readonly conversations: Conversations,
    private readonly daemon: Daemon,
  ) {
    this.item.name = "Open Interpreter";
    this.item.command = "oi.menu";
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
    void vscode.commands.executeCommand("setContext", "oi.state", this.state);
    this.draw();
    this.item.show();
  }

  dispose(): void {
    clearInterval(this.clock);
    vscode.Disposable.from(...this.scope).dispose();
  }

  private update(): void {
    const { current } = this.conversations;
    const state = current?.state ?? "idle";
    if (state === "idle" && this.daemon.state === "running") void this.refresh().catch(() => {});
    if (state !== this.state) void vscode.commands.executeCommand("setContext", "oi.state", state);
    if (state !== "idle") {
      this.clock ??= setInterval(() => this.draw(), SECOND);
    } else {
      clearInterval(this.clock);
      this.clock = undefined;
    }
    this.state = state;
    this.retry = current?.retry;
    if (current?.autoRun) this.always.show();
    else this.always.hide();
    this.draw();
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
    const { state, daemon, cost, retry } = this;
    const model = String(configured(["oi.model"]).model || this.model);
    const icon = daemon.state === "failed" ? "error" : ICONS[state];
    const doing = this.conversations.current?.activity.words(model) ?? "";
    const price = cost >= 0.0001 ? `$${cost.toFixed(4)}` : "";
    const parts = state === "idle" ? [model || "Open Interpreter", price] : [doing];
    const text = `$(${icon}) ${parts.filter(Boolean).join(" · ")}`;
    if (text !== this.item.text) this.item.text = text;
    const { t } = vscode.l10n;
    const told = t("Open Interpreter: {0}. Daemon: {1}.", doing || t(WORDS.idle), daemon.state);
    const tooltip = retry ? `${retry}\n\n${told}` : told;
    if (tooltip === this.item.tooltip) return;
    this.item.tooltip = tooltip;
    this.item.accessibilityInformation = { label: tooltip };
  }
}
