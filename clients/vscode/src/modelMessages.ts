/** A conversation as the daemon tells it, in the editor's words for its language models. */

import * as vscode from "vscode";

/** A message of OpenAI's chat completions. */
export interface WireMessage {
  readonly role: string;
  readonly content?: string | null | readonly WirePart[];
  readonly tool_calls?: readonly {
    readonly id: string;
    readonly function: { readonly name: string; readonly arguments: string };
  }[];
  readonly tool_call_id?: string;
}

interface WirePart {
  readonly type: string;
  readonly text?: string;
  readonly image_url?: { readonly url: string };
}

type Part =
  | vscode.LanguageModelTextPart
  | vscode.LanguageModelToolCallPart
  | vscode.LanguageModelToolResultPart;

/** Makes a picture for a model. Not in the oldest versions. */
interface DataPart {
  image(data: Uint8Array, mime: string): Part;
}

const { LanguageModelDataPart: dataPart } = vscode as { LanguageModelDataPart?: DataPart };

/** The messages. The system's is the person's first, because the editor knows no other roles. */
export function messagesFor(messages: readonly WireMessage[]): vscode.LanguageModelChatMessage[] {
  const made: vscode.LanguageModelChatMessage[] = [];
  for (const message of messages) {
    const isReply = message.role === "assistant";
    const role = isReply
      ? vscode.LanguageModelChatMessageRole.Assistant
      : vscode.LanguageModelChatMessageRole.User;
    const parts = [...contentOf(message), ...(message.tool_calls ?? []).map(callOf)];
    const last = made.at(-1);
    // What several calls gave belongs into one message.
    if (message.role === "tool" && last?.role === role && isResult(last)) {
      last.content = [...(last.content as Part[]), ...parts] as typeof last.content;
    } else if (parts.length > 0) {
      made.push(new vscode.LanguageModelChatMessage(role, parts as never));
    }
  }
  return made;
}

/** A picture as a part of a result, where the editor has such parts. */
export function pictureOf(base64: string, mime: string): Part | undefined {
  return dataPart?.image(Buffer.from(base64, "base64"), mime);
}

function contentOf({ role, content, tool_call_id: id }: WireMessage): Part[] {
  const given = typeof content === "string" ? [{ type: "text", text: content }] : (content ?? []);
  const parts = given.map(partOf).filter((part) => part !== undefined);
  return role === "tool" ? [new vscode.LanguageModelToolResultPart(id ?? "", parts)] : parts;
}

function partOf({ text, image_url }: WirePart): Part | undefined {
  const [, mime, data] = image_url?.url.match(/^data:([^;]+);base64,(.*)$/s) ?? [];
  if (mime && data) return pictureOf(data, mime);
  return text ? new vscode.LanguageModelTextPart(text) : undefined;
}

function callOf({ id, function: called }: NonNullable<WireMessage["tool_calls"]>[number]): Part {
  return new vscode.LanguageModelToolCallPart(id, called.name, parsed(called.arguments));
}

function parsed(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : { value };
  } catch {
    return { text };
  }
}

function isResult({ content }: vscode.LanguageModelChatMessage): boolean {
  return Array.isArray(content) && content.at(-1) instanceof vscode.LanguageModelToolResultPart;
}
