/** The editor's own language models, offered to the daemon: a conversation needs no key then. */

import * as vscode from "vscode";
import type { MessageConnection } from "vscode-jsonrpc/node";
import { messagesFor, type WireMessage } from "./modelMessages";
import type { ModelAskParams, ModelReplyParams, ModelReplyResult, OfferedModel } from "./protocol";

/** How the name of each of them begins, in the setting `oi.model`. */
const PREFIX = "vscode/";
/** The smallest context window that the daemon takes. */
const SMALLEST_WINDOW = 256;

type Reply = Omit<ModelReplyParams, "ask">;

export class EditorModels implements vscode.Disposable {
  private connection: MessageConnection | undefined;
  /** What was offered last. */
  private offered: OfferedModel[] = [];
  /** The requests that are being answered, by their ids. */
  private readonly asked = new Map<string, vscode.CancellationTokenSource>();
  private readonly scope: vscode.Disposable[];

  constructor(private readonly log: vscode.LogOutputChannel) {
    const offer = () => void this.offer();
    this.scope = [
      vscode.lm.onDidChangeChatModels(offer),
      vscode.workspace.onDidChangeConfiguration(
        (event) => event.affectsConfiguration("oi.model") && this.tell(this.offered),
      ),
    ];
  }

  /** Whether the editor has any. */
  get isThere(): boolean {
    return this.offered.length > 0;
  }

  /** Whether the daemon can ask a model of this name. */
  has(name: string): boolean {
    return this.offered.some((offered) => offered.name === name);
  }

  /** Answer for this daemon. What is known is offered at once, before anything is asked. */
  serve(connection: MessageConnection): void {
    this.connection = connection;
    connection.onNotification("oi/model/ask", (params: ModelAskParams) => void this.answer(params));
    connection.onNotification("oi/model/cancel", ({ ask }: { ask: string }) => this.asked.get(ask)?.cancel());
    connection.onDispose(() => this.leave(connection));
    this.tell(this.offered);
    void this.offer();
  }

  dispose(): void {
    for (const source of this.asked.values()) source.cancel();
    vscode.Disposable.from(...this.scope).dispose();
  }

  private leave(connection: MessageConnection): void {
    for (const source of this.asked.values()) source.cancel();
    this.asked.clear();
    if (this.connection === connection) this.connection = undefined;
  }

  /** Ask the editor what it has, and offer that. */
  private async offer(): Promise<void> {
    try {
      this.offered = (await vscode.lm.selectChatModels()).map(offerOf);
    } catch (error) {
      this.log.warn(`The editor's models: ${error}`);
    }
    this.tell(this.offered);
  }

  /** Offer these, and the chosen one, which the editor may have a little later. */
  private tell(models: readonly OfferedModel[]): void {
    const chosen = vscode.workspace.getConfiguration("oi").get("model", "");
    const isMissing = chosen.startsWith(PREFIX) && !models.some(({ name }) => name === chosen);
    const all = isMissing ? [...models, { name: chosen }] : models;
    this.connection
      ?.sendRequest("oi/model/offer", { models: all })
      .then(undefined, (error) => this.log.warn(`oi/model/offer: ${error}`)); // an older daemon
  }

  private async answer({ ask, model, messages, tools, parameters }: ModelAskParams): Promise<void> {
    const { connection } = this;
    const source = new vscode.CancellationTokenSource();
    this.asked.set(ask, source);
    const reply = async (more: Reply) => {
      const sent = connection?.sendRequest<ModelReplyResult>("oi/model/reply", { ask, ...more });
      if (!(await sent)?.accepted) source.cancel();
    };
    try {
      const options = optionsFor(tools ?? [], parameters ?? {});
      const found = await find(model);
      const request = await found.sendRequest(
        messagesFor(messages as unknown as WireMessage[]),
        options,
        source.token,
      );
      for await (const part of request.stream) {
        if (source.token.isCancellationRequested) return;
        const more = replyOf(part);
        if (more) await reply(more);
      }
      if (!source.token.isCancellationRequested) await reply({ end: "stop" });
    } catch (error) {
      if (source.token.isCancellationRequested) return;
      this.log.warn(`${model}: ${error}`);
      await reply({ error: explained(error) }).catch(() => {}); // the daemon has ended
    } finally {
      this.asked.delete(ask);
      source.dispose();
    }
  }
}

/** The model under which a turn runs that the person has begun with this one in the chat view. */
export function nameOf({ vendor, id }: vscode.LanguageModelChat): string {
  return `${PREFIX}${vendor}/${id}`;
}

function offerOf(model: vscode.LanguageModelChat): OfferedModel {
  const can = capabilitiesOf(model);
  return {
    name: nameOf(model),
    title: model.name,
    ...(model.maxInputTokens >= SMALLEST_WINDOW && { context_window: Math.floor(model.maxInputTokens) }),
    ...(can.supportsToolCalling === false && { tools: false }),
    ...(can.supportsImageToText === true && { pictures: true }),
  };
}

/** What a model can do, where the editor tells that. */
function capabilitiesOf(model: vscode.LanguageModelChat): Record<string, unknown> {
  try {
    return (model as { capabilities?: Record<string, unknown> }).capabilities ?? {};
  } catch {
    return {}; // only for extensions that may use what is still proposed
  }
}

async function find(name: string): Promise<vscode.LanguageModelChat> {
  const found = (await vscode.lm.selectChatModels()).find((model) => nameOf(model) === name);
  if (found) return found;
  throw vscode.LanguageModelError.NotFound(
    vscode.l10n.t("The editor does not have it now. Sign in to its provider, or choose another model."),
  );
}

function optionsFor(
  tools: readonly Record<string, unknown>[],
  modelOptions: Record<string, unknown>,
): vscode.LanguageModelChatRequestOptions {
  const functions = tools.map(
    (tool) => tool.function as vscode.LanguageModelChatTool & { parameters: object },
  );
  return {
    justification: vscode.l10n.t("Open Interpreter answers your questions with this model."),
    modelOptions,
    tools: functions.map(({ name, description, parameters }) => ({
      name,
      description,
      inputSchema: parameters,
    })),
  };
}

/** What a part of the answer says. Thinking is known by its shape, because its class is not in all versions. */
function replyOf(part: unknown): Reply | undefined {
  if (part instanceof vscode.LanguageModelTextPart) return part.value ? { text: part.value } : undefined;
  if (part instanceof vscode.LanguageModelToolCallPart) {
    const { name, callId, input } = part;
    return { calls: [{ name, id: callId.slice(0, 200), arguments: { ...input } }] };
  }
  const { value } = part as { value?: unknown };
  const thinking = Array.isArray(value) ? value.join("") : value;
  return typeof thinking === "string" && thinking ? { thinking } : undefined;
}

function explained(error: unknown): NonNullable<ModelReplyParams["error"]> {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof vscode.LanguageModelError ? error.code : "";
  if (/context.?(length|window)|too many tokens|token limit|prompt is too long/i.test(message)) {
    return { message, kind: "context" };
  }
  if (code === "NoPermissions") {
    const how = vscode.l10n.t(
      "You have not allowed Open Interpreter to use it. Ask again and allow it, or choose another model.",
    );
    return { message: how, kind: "auth" };
  }
  return { message, kind: code === "NotFound" ? "no_model" : "model" };
}
