/** The status bar's item, and what the manifest's `when` clauses know. */

import * as vscode from "vscode";
import type { State } from "./conversation";
import type { Conversations } from "./conversations";
import type { Daemon } from "./daemon";
import { configured } from "./settings";

const ICONS: Record<State, string> = {
  idle: "comment-discussion",
  thinking: "loading~spin",
  running: "sync~spin",
  approval: "question",
  input: "question",
  retrying: "watch",
};

export class StatusBar implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem("oi.status", vscode.StatusBarAlignment.Right, 90);
  private readonly scope: vscode.Disposable[];
  private state: State = "idle";
  private model = "";
  private cost = 0;

  constructor(
    private readonly conversations: Conversations,
    private readonly daemon: Daemon,
  ) {
    this.item.name = "Open Interpreter";
    this.item.command = "oi.chat";
    this.scope = [
      this.item,
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
    const state = this.conversations.current?.state ?? "idle";
    if (state === "idle" && this.daemon.state === "running") void this.refresh().catch(() => {});
    if (state === this.state) return;
    this.state = state;
    void vscode.commands.executeCommand("setContext", "oi.state", state);
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
    const { state, daemon, cost } = this;
    const model = configured(["oi.model"]).model || this.model;
    const icon = daemon.state === "failed" ? "error" : ICONS[state];
    const parts = [`$(${icon}) ${model || "Open Interpreter"}`, cost >= 0.0001 ? `$${cost.toFixed(4)}` : ""];
    this.item.text = parts.filter(Boolean).join(" · ");
    this.item.tooltip = vscode.l10n.t("Open Interpreter: {0}. Daemon: {1}.", words(state), daemon.state);
  }
}

function words(state: State): string {
  const { t } = vscode.l10n;
  const all: Record<State, string> = {
    idle: t("ready"),
    thinking: t("the model writes"),
    running: t("code is run"),
    approval: t("code waits for your answer"),
    input: t("code waits for input"),
    retrying: t("the model's server is asked again soon"),
  };
  return all[state];
}
