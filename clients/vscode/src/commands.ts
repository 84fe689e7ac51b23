/** The commands of the palette, of buttons and of keys. */

import * as vscode from "vscode";
import type { ChangedFiles } from "./changedFiles";
import type { Conversation } from "./conversation";
import type { Conversations } from "./conversations";
import { enter } from "./cursor";
import type { Daemon } from "./daemon";
import { exportMarkdown, exportNotebook } from "./export";
import { choosePath } from "./install";
import type { Launcher } from "./launcher";
import { attachment } from "./mention";
import { showMenu } from "./menu";
import { openConversation } from "./openConversation";
import { API_KEY } from "./secrets";

type Command = (...args: never[]) => unknown;

export function commands(
  conversations: Conversations,
  daemon: Daemon,
  files: ChangedFiles,
  launcher: Launcher,
  secrets: vscode.SecretStorage,
  log: vscode.LogOutputChannel,
): Record<string, Command> {
  const here = (work: (conversation: Conversation) => unknown) => (clicked?: unknown) => {
    const conversation = isCell(clicked) ? conversations.of(clicked.notebook) : conversations.current;
    return conversation && work(conversation);
  };
  return {
    chat: (message?: unknown) => chat(conversations, message),
    chatAboutSelection: () => chatAboutSelection(conversations),
    runSelection: () => runSelection(conversations),
    newConversation: () => conversations.showNew(),
    openConversation: () => openConversation(conversations, daemon),
    message: here((conversation) => conversations.compose(conversation)),
    undo: here((conversation) => conversation.undo()),
    showFiles: here((conversation) => files.show(conversation.id)),
    undoFiles: here((conversation) => files.undo(conversation.id)),
    reset: here(reset),
    send: (clicked?: unknown) => isCell(clicked) && conversations.send(clicked),
    install: async (clicked?: unknown) => {
      await launcher.install();
      if (isCell(clicked)) await conversations.send(clicked);
    },
    choosePath: async (clicked?: unknown) => {
      if ((await choosePath()) && isCell(clicked)) await conversations.send(clicked);
    },
    stop: here((conversation) => conversation.stop()),
    approve: here((conversation) => conversation.approve("run")),
    // A click under the code has already put the cursor into it.
    edit: (clicked?: unknown) => !isCell(clicked) && here(edit)(),
    skip: here((conversation) => conversation.approve("skip")),
    always: here((conversation) => conversation.approve("always")),
    ask: here((conversation) => conversation.askAgain()),
    chooseModel: () => chooseModel(daemon),
    setApiKey: () => setApiKey(secrets),
    exportNotebook: here(exportNotebook),
    exportMarkdown: here(exportMarkdown),
    restartDaemon: () => restart(daemon),
    showLog: () => log.show(),
    menu: () => showMenu(conversations, daemon),
  };
}

/** Whether a command got a cell. Buttons under a cell pass it; those of a toolbar pass something else. */
function isCell(argument: unknown): argument is vscode.NotebookCell {
  return (
    typeof argument === "object" && argument !== null && "notebook" in argument && "document" in argument
  );
}

async function chat(conversations: Conversations, message?: unknown): Promise<void> {
  const { current } = conversations;
  const text = typeof message === "string" ? message : await askForMessage(conversations);
  if (text?.trim()) await conversations.ask(text, current);
}

/** Ask for a message of one line in a box. Its button leads to a cell for several lines. */
function askForMessage(conversations: Conversations): Promise<string | undefined> {
  const box = vscode.window.createInputBox();
  box.title = "Open Interpreter";
  box.placeholder = vscode.l10n.t("What do you want to do?");
  box.buttons = [{ iconPath: new vscode.ThemeIcon("edit"), tooltip: vscode.l10n.t("Write several lines") }];
  return new Promise((resolve) => {
    box.onDidAccept(() => {
      resolve(box.value);
      box.hide();
    });
    box.onDidTriggerButton(async () => {
      const text = box.value;
      box.hide();
      const { current } = conversations;
      await (current ? conversations.compose(current, text) : conversations.showNew(text));
    });
    box.onDidHide(() => {
      resolve(undefined);
      box.dispose();
    });
    box.show();
  });
}

async function chatAboutSelection(conversations: Conversations): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  if (!editor) return;
  const { document, selection } = editor;
  const { current } = conversations;
  const words = await askForMessage(conversations);
  if (!words?.trim()) return;
  const place = `${vscode.workspace.asRelativePath(document.uri)}:${selection.start.line + 1}-${selection.end.line + 1}`;
  const selected = attachment(place, document.languageId, document.getText(selection));
  await conversations.ask(`${words}${selected}`, current);
}

async function runSelection(conversations: Conversations): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  if (editor)
    await conversations.runCode(editor.document.getText(editor.selection), editor.document.languageId);
}

/** Reset after a question: what was said leaves the notebook, and the variables are lost. */
async function reset(conversation: Conversation): Promise<void> {
  const { t } = vscode.l10n;
  const detail = t("Its variables are lost. What was said stays in the list of conversations.");
  const yes = t("Reset");
  const options = { modal: true, detail };
  const chosen = await vscode.window.showWarningMessage(t("Reset this conversation?"), options, yes);
  if (chosen === yes) await conversation.reset();
}

/** Restart the daemon; after a question, if others use it too. */
async function restart(daemon: Daemon): Promise<void> {
  if (daemon.shared) {
    const { t } = vscode.l10n;
    const detail = t("All editors and terminals use it. What runs is stopped, and the variables are lost.");
    const yes = t("Restart");
    const options = { modal: true, detail };
    const chosen = await vscode.window.showWarningMessage(t("Restart the shared daemon?"), options, yes);
    if (chosen !== yes) return;
  }
  await daemon.restart();
}

async function edit({ waiting }: Conversation): Promise<void> {
  if (waiting) await enter(waiting);
}

/** Offers the models that the server has, the best one first, and those of servers on this machine. */
async function chooseModel(daemon: Daemon): Promise<void> {
  const configuration = vscode.workspace.getConfiguration("oi");
  const current = configuration.get<string>("model") ?? "";
  const other: Offer = { label: vscode.l10n.t("Another model...") };
  const placeHolder = vscode.l10n.t("Model: {0}", current);
  const offers = offered(daemon, current).then((models) => [...models, other]);
  const chosen = await vscode.window.showQuickPick<Offer>(offers, { placeHolder, matchOnDescription: true });
  const prompt = vscode.l10n.t("The model's name, or the path of a .gguf file");
  const model = chosen === other ? await vscode.window.showInputBox({ prompt }) : chosen?.model;
  if (!model) return;
  await configuration.update("model", model, vscode.ConfigurationTarget.Global);
  if (chosen?.local !== undefined)
    await configuration.update("local", chosen.local || undefined, vscode.ConfigurationTarget.Global);
}

/** A model to choose; without one, the person types its name. */
type Offer = vscode.QuickPickItem & { model?: string; local?: boolean };

/** The models to choose from: the server's, the editor's own, those on this machine; the current one, if there are none. */
async function offered(daemon: Daemon, current: string): Promise<Offer[]> {
  const { server, local, offered = [] } = await daemon.request("oi/models", {});
  const ours = offered.map(({ name, title }) => ({
    label: title || name,
    description: vscode.l10n.t("of the editor, needs no key"),
    detail: name,
    model: name,
    local: false,
  }));
  const hosted = (server?.models ?? []).map((model) => ({ label: model, model, local: false }));
  const here = local.flatMap(({ api_base, models }) =>
    models.map((model) => ({
      label: model,
      description: vscode.l10n.t("on this machine, {0}", api_base),
      model,
      local: true,
    })),
  );
  const found = [...hosted, ...ours, ...here];
  return found.length > 0 ? found : [{ label: current, model: current, local: false }];
}

async function setApiKey(secrets: vscode.SecretStorage): Promise<void> {
  const key = await vscode.window.showInputBox({
    title: vscode.l10n.t("API key"),
    prompt: vscode.l10n.t("Kept in the editor's secret storage. Empty: forget it."),
    password: true,
    ignoreFocusOut: true,
  });
  if (key === undefined) return;
  await (key ? secrets.store(API_KEY, key) : secrets.delete(API_KEY));
}
