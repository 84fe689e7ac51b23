/** Tools of ours for agents of the editor: they run code in a live interpreter, and look at its variables. */

import * as vscode from "vscode";
import type { Daemon } from "./daemon";
import { joined } from "./fold";
import { toEditor } from "./languages";
import { pictureOf } from "./modelMessages";
import type { StoredMessage, VariableEntry } from "./protocol";

interface Code {
  readonly language: string;
  readonly code: string;
}

/** The conversation in whose interpreters agents run code. */
type Place = () => string;

const PICTURES = ["image/png", "image/jpeg"] as const;
const MARKUP = "text/markdown";

/** Runs a block, after the editor has asked the person. */
class RunCode implements vscode.LanguageModelTool<Code> {
  constructor(
    private readonly daemon: Daemon,
    private readonly place: Place,
  ) {}

  prepareInvocation({
    input,
  }: vscode.LanguageModelToolInvocationPrepareOptions<Code>): vscode.PreparedToolInvocation {
    const { t } = vscode.l10n;
    const message = new vscode.MarkdownString();
    message.appendCodeblock(input.code, toEditor(input.language));
    return {
      invocationMessage: t("Running {0}", input.language),
      confirmationMessages: { title: t("Run this {0} code on your machine?", input.language), message },
    };
  }

  async invoke(
    { input }: vscode.LanguageModelToolInvocationOptions<Code>,
    token: vscode.CancellationToken,
  ): Promise<vscode.LanguageModelToolResult> {
    const conversation = this.place();
    const { language, code } = checked(input);
    const stop = () => void this.daemon.request("oi/interrupt", { conversation }).catch(() => {});
    const watch = token.onCancellationRequested(stop);
    try {
      const { messages, status } = await this.daemon.request("oi/execute", { conversation, language, code });
      return resultOf(messages, status);
    } finally {
      watch.dispose();
    }
  }
}

/** Tells which variables there are. Runs no code. */
class ShowVariables implements vscode.LanguageModelTool<{ language?: string }> {
  constructor(
    private readonly daemon: Daemon,
    private readonly place: Place,
  ) {}

  prepareInvocation(): vscode.PreparedToolInvocation {
    return { invocationMessage: vscode.l10n.t("Looking at the variables") };
  }

  async invoke({
    input,
  }: vscode.LanguageModelToolInvocationOptions<{
    language?: string;
  }>): Promise<vscode.LanguageModelToolResult> {
    const { variables, more } = await this.daemon.request("oi/variables", {
      conversation: this.place(),
      language: input.language || null,
      limit: 200,
    });
    const lines = variables.map(lineOf);
    if (more > 0) lines.push(`... and ${more} more`);
    return textResult(lines.join("\n") || "There are no variables yet.");
  }
}

/** Register the tools. */
export function agentTools(daemon: Daemon, place: Place): vscode.Disposable {
  return vscode.Disposable.from(
    vscode.lm.registerTool("run_code", new RunCode(daemon, place)),
    vscode.lm.registerTool("variables", new ShowVariables(daemon, place)),
  );
}

/** The input of a model, which may be anything. */
function checked({ language, code }: Partial<Code>): Code {
  if (typeof language === "string" && typeof code === "string") return { language, code };
  throw new Error("run_code takes a language and code, both of them texts.");
}

/** What the block wrote and showed, in the order of the record: its text, then its pictures. */
function resultOf(messages: readonly StoredMessage[], status: string): vscode.LanguageModelToolResult {
  const blocks = messages.filter((message) => "code" in message);
  const parts: unknown[] = [];
  for (const { output = "", status: ended, displays = [] } of blocks) {
    const how = ended && ended !== "error" ? `\n[${ended}]` : "";
    parts.push(new vscode.LanguageModelTextPart(`${output}${how}` || "[no output]"));
    parts.push(...displays.map((display) => picture(display as Record<string, unknown>)).filter(Boolean));
  }
  if (parts.length === 0) parts.push(new vscode.LanguageModelTextPart(`[${status}]`));
  return new vscode.LanguageModelToolResult(parts as vscode.LanguageModelTextPart[]);
}

function picture(display: Record<string, unknown>): unknown {
  const mime = PICTURES.find((type) => type in display);
  if (mime)
    return (
      pictureOf(joined(display[mime]), mime) ??
      new vscode.LanguageModelTextPart(
        `[a picture, ${mime}, which this version of the editor cannot pass on]`,
      )
    );
  return MARKUP in display ? new vscode.LanguageModelTextPart(joined(display[MARKUP])) : undefined;
}

function lineOf({ name, type, preview, shape, language }: VariableEntry): string {
  const dimensions = shape ? ` ${shape.join("x")}` : "";
  return `${name} (${language} ${type}${dimensions}): ${preview}`;
}

function textResult(text: string): vscode.LanguageModelToolResult {
  return new vscode.LanguageModelToolResult([new vscode.LanguageModelTextPart(text)]);
}
