/** Starts the extension: makes its parts and registers them. */

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import * as vscode from "vscode";
import { ActiveLine } from "./activeLine";
import { agentTools } from "./agentTools";
import { Answers } from "./answers";
import { NOTEBOOK } from "./cells";
import { ChangedFiles } from "./changedFiles";
import { ChatParticipant } from "./chatParticipant";
import { commands } from "./commands";
import { Conversations } from "./conversations";
import { Daemon } from "./daemon";
import { DraftStore } from "./drafts";
import { EditorModels } from "./editorModels";
import { showError } from "./errors";
import { ConversationFiles, SCHEME, serializer } from "./files";
import { Launcher } from "./launcher";
import { mcpServer } from "./mcpServer";
import { Mentions } from "./mention";
import { Placeholder } from "./placeholder";
import { StatusBar } from "./statusBar";

let daemon: Daemon | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel("Open Interpreter", { log: true });
  const launcher = new Launcher(context);
  daemon = new Daemon(() => launcher.launch(), log);
  const mentions = new Mentions();
  const conversations = new Conversations(daemon, () => launcher.changed(), mentions);
  const drafts = new DraftStore(join(context.globalStorageUri.fsPath, "drafts"));
  const files = new ConversationFiles(daemon, drafts, (id) => conversations.beginningOf(id));
  const changed = new ChangedFiles(daemon);
  const models = new EditorModels(log);
  daemon.onConnection((connection) => models.serve(connection));
  context.subscriptions.push(
    log,
    models,
    changed,
    new ChatParticipant(
      daemon,
      conversations,
      models,
      () => launcher.changed(),
      vscode.Uri.joinPath(context.extensionUri, "media", "icon.png"),
    ),
    mcpServer(() => launcher.launch()),
    agentTools(daemon, () => conversations.current?.id ?? agentPlace(context)),
    daemon,
    conversations,
    vscode.workspace.registerNotebookSerializer(NOTEBOOK, serializer),
    vscode.workspace.registerFileSystemProvider(SCHEME, files, { isCaseSensitive: true }),
    mentions,
    new Placeholder(),
    new Answers(conversations),
    new ActiveLine(conversations, vscode.Uri.joinPath(context.extensionUri, "media", "active-line.svg")),
    new StatusBar(conversations, daemon),
  );
  for (const [name, run] of Object.entries(
    commands(conversations, daemon, changed, launcher, context.secrets, log),
  )) {
    const command = (...args: never[]) => Promise.resolve(run(...args)).catch(showError);
    context.subscriptions.push(vscode.commands.registerCommand(`oi.${name}`, command));
  }
}

/** The conversation in which agents run code while none is open: one for each folder. */
function agentPlace({ workspaceState }: vscode.ExtensionContext): string {
  const known = workspaceState.get<string>("agents");
  if (known) return known;
  const id = randomBytes(6).toString("hex");
  void workspaceState.update("agents", id);
  return id;
}

/** The window closes: the daemon ends with it, unless it is the shared one. */
export async function deactivate(): Promise<void> {
  await daemon?.stop();
}
