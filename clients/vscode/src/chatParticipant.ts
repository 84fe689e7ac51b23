/** `@oi` in the chat view: a conversation of ours there, with its code, and buttons that answer for it. */

import { randomBytes } from "node:crypto";
import * as vscode from "vscode";
import { ChatWriter } from "./chatWriter";
import type { Conversations } from "./conversations";
import type { Daemon } from "./daemon";
import { type EditorModels, nameOf } from "./editorModels";
import { explain } from "./errors";
import type { ApproveParams, ChunkParams } from "./protocol";

const ID = "oi.chat";
/** Commands of the buttons in the chat view. The palette does not have them. */
const ANSWER = "_oi.answer";
const OPEN = "_oi.openAsConversation";

type Answer = Pick<ApproveParams, "approval" | "decision"> & { conversation: string };

export class ChatParticipant implements vscode.Disposable {
  private readonly scope: vscode.Disposable[];

  constructor(
    private readonly daemon: Daemon,
    conversations: Conversations,
    private readonly models: EditorModels,
    private readonly settings: () => Promise<Record<string, unknown>>,
    icon: vscode.Uri,
  ) {
    const participant = vscode.chat.createChatParticipant(ID, (...asked) => this.handle(...asked));
    participant.iconPath = icon;
    this.scope = [
      participant,
      vscode.commands.registerCommand(ANSWER, (answer: Answer) => this.answer(answer)),
      vscode.commands.registerCommand(OPEN, (id: string, title: string) => conversations.show(id, title)),
    ];
  }

  dispose(): void {
    vscode.Disposable.from(...this.scope).dispose();
  }

  private async handle(
    request: vscode.ChatRequest,
    context: vscode.ChatContext,
    response: vscode.ChatResponseStream,
    token: vscode.CancellationToken,
  ): Promise<vscode.ChatResult> {
    const conversation = conversationOf(context) ?? randomBytes(6).toString("hex");
    const writer = new ChatWriter(response);
    const work: Promise<unknown>[] = [];
    const scope = [
      this.daemon.onChunk((params) => {
        if (params.conversation === conversation) work.push(this.show(params, response, writer));
      }),
      token.onCancellationRequested(
        () => void this.daemon.request("oi/interrupt", { conversation }).catch(() => {}),
      ),
    ];
    const metadata = { conversation };
    try {
      const settings = { ...(await this.settings()), ...this.chosen(request.model) };
      const message = `${request.prompt}${await references(request)}`;
      await this.daemon.request("oi/stream", { conversation, message, settings });
      return { metadata };
    } catch (error) {
      return { metadata, errorDetails: { message: explain(error) } };
    } finally {
      vscode.Disposable.from(...scope).dispose();
      await Promise.allSettled(work);
      writer.close();
      const title = vscode.l10n.t("Open as Conversation");
      response.button({ title, command: OPEN, arguments: [conversation, request.prompt.slice(0, 60)] });
    }
  }

  /** The model that is chosen in the chat view, if it is one that can be asked. */
  private chosen(model: vscode.LanguageModelChat | undefined): { model?: string; local?: boolean } {
    return model && this.models.has(nameOf(model)) ? { model: nameOf(model), local: false } : {};
  }

  private async show(
    params: ChunkParams,
    response: vscode.ChatResponseStream,
    writer: ChatWriter,
  ): Promise<void> {
    const { chunk, conversation, approval, input } = params;
    writer.add(chunk);
    if (approval) this.offer(response, conversation, approval);
    if ("input" in chunk && input) {
      const { prompt, password } = chunk.input;
      const value = (await vscode.window.showInputBox({ prompt, password, ignoreFocusOut: true })) ?? null;
      await this.daemon.request("oi/input", { conversation, input, value });
    }
  }

  /** Buttons for the code that waits. */
  private offer(response: vscode.ChatResponseStream, conversation: string, approval: string): void {
    const { t } = vscode.l10n;
    const decisions = [
      [t("Run"), "run"],
      [t("Skip"), "skip"],
      [t("Stop"), "stop"],
      [t("Always"), "always"],
    ] as const;
    for (const [title, decision] of decisions) {
      response.button({ title, command: ANSWER, arguments: [{ conversation, approval, decision }] });
    }
  }

  private async answer(answer: Answer): Promise<void> {
    const { accepted } = await this.daemon.request("oi/approve", answer);
    if (!accepted)
      await vscode.window.showInformationMessage(vscode.l10n.t("This code waits for an answer no longer."));
  }
}

/** The conversation that the chat before belongs to. */
function conversationOf({ history }: vscode.ChatContext): string | undefined {
  const turns = history.filter((turn) => turn instanceof vscode.ChatResponseTurn);
  return turns.findLast(({ participant }) => participant === ID)?.result.metadata?.conversation;
}

/** What the person has attached: the text of selections, and the paths of files. */
async function references({ references }: vscode.ChatRequest): Promise<string> {
  const texts = references.map(async ({ value }) => {
    if (value instanceof vscode.Uri) return `\n\n${vscode.workspace.asRelativePath(value)}`;
    if (!(value instanceof vscode.Location)) return typeof value === "string" ? `\n\n${value}` : "";
    const document = await vscode.workspace.openTextDocument(value.uri);
    const place = `${vscode.workspace.asRelativePath(value.uri)}:${value.range.start.line + 1}`;
    return `\n\n${place}\n\`\`\`\`${document.languageId}\n${document.getText(value.range)}\n\`\`\`\``;
  });
  return (await Promise.all(texts)).join("");
}
