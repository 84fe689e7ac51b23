// An extension with a language model, as an assistant's has one, and a command that invokes a tool.
// What it is asked, and what tools give, is written into the workspace's folder, for the test to read.
const { appendFileSync, readFileSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const vscode = require("vscode");

const inWorkspace = (name) => join(vscode.workspace.workspaceFolders[0].uri.fsPath, name);

/** The text of all parts. */
function text(content) {
  const parts = Array.isArray(content) ? content : [content];
  return parts.map((part) => part.value ?? (part.content ? text(part.content) : (part.name ?? ""))).join("");
}

const model = {
  id: "small",
  name: "Scripted Small",
  family: "scripted",
  version: "1",
  maxInputTokens: 32000,
  maxOutputTokens: 4000,
  isUserSelectable: true,
  capabilities: { toolCalling: true, imageInput: false },
};

const provider = {
  provideLanguageModelChatInformation: () => [model],
  provideTokenCount: (_, content) => text(content).length / 4,
  async provideLanguageModelChatResponse(_, messages, options, progress, token) {
    const told = messages.map(({ role, content }) => ({ role, text: text(content) }));
    const tools = (options.tools ?? []).map(({ name }) => name);
    appendFileSync(inWorkspace("asked.jsonl"), `${JSON.stringify({ messages: told, tools })}\n`);
    const last = messages.at(-1);
    const result = last.content.find?.((part) => part instanceof vscode.LanguageModelToolResultPart);
    if (result) {
      progress.report(new vscode.LanguageModelTextPart(`It gave ${text(result.content).trim()}.`));
    } else if (text(last.content).includes("for ever")) {
      progress.report(new vscode.LanguageModelTextPart("Counting"));
      await new Promise((resolve) => token.onCancellationRequested(resolve));
      appendFileSync(inWorkspace("cancelled"), "yes");
    } else {
      progress.report(new vscode.LanguageModelTextPart("I compute it."));
      const input = { language: "python", code: "print('a whole ' + 'conversation')" };
      progress.report(new vscode.LanguageModelToolCallPart("call-1", "execute", input));
    }
  },
};

/** Invoke the tool that tool.json names. */
async function invoke() {
  const { name, input } = JSON.parse(readFileSync(inWorkspace("tool.json"), "utf8"));
  const done = (given) => writeFileSync(inWorkspace("given.json"), JSON.stringify(given));
  try {
    const { content } = await vscode.lm.invokeTool(name, { input, toolInvocationToken: undefined });
    done(content.map((part) => ({ mime: part.mimeType, text: part.value })));
  } catch (error) {
    done({ error: String(error) });
  }
}

exports.activate = ({ subscriptions }) => {
  subscriptions.push(
    vscode.commands.registerCommand("oi-tests.invoke", invoke),
    vscode.commands.registerCommand("oi-tests.ask", () =>
      vscode.commands.executeCommand("workbench.action.chat.open", { query: "@oi In the chat view" }),
    ),
  );
  vscode.lm.registerLanguageModelChatProvider?.("scripted", provider);
};
