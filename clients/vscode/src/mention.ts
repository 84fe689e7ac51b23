/** What a message mentions, and takes along: `@file`, `#selection`, `#file`, `#diagnostics`. */

import * as vscode from "vscode";
import { MESSAGE } from "./cells";

/** Bytes of a file that is taken along. */
const LARGEST = 200_000;
/** Files that are offered at once. */
const OFFERED = 100;
/** Milliseconds that a search for files may take. */
const SEARCH = 500;
const MENTION = /(?<=^|\s)[@#]\S+/g;
/** The mention that the cursor stands behind. */
const BEGUN = /(?<=^|\s)[@#]\S*$/;

type Part = (editor: vscode.TextEditor) => string | undefined;

/** Text under a title, in a fence that is longer than those in it. */
export function attachment(title: string, language: string, text: string): string {
  const fence = "`".repeat(Math.max(3, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length + 1)));
  return `\n\n${title}\n${fence}${language}\n${text.replace(/\n$/, "")}\n${fence}`;
}

const PARTS: Record<string, Part> = {
  "#selection": ({ document, selection }) => {
    if (selection.isEmpty) return undefined;
    const place = `${nameOf(document)}:${selection.start.line + 1}-${selection.end.line + 1}`;
    return attachment(place, document.languageId, document.getText(selection));
  },
  "#file": ({ document }) => attachment(nameOf(document), document.languageId, document.getText()),
  "#diagnostics": ({ document }) => {
    const lines = vscode.languages.getDiagnostics(document.uri).map(({ range, severity, message }) => {
      return `line ${range.start.line + 1}: ${vscode.DiagnosticSeverity[severity].toLowerCase()}: ${message}`;
    });
    return lines.length > 0
      ? attachment(`${nameOf(document)}, diagnostics`, "", lines.join("\n"))
      : undefined;
  },
};

export class Mentions implements vscode.CompletionItemProvider, vscode.Disposable {
  /** The editor of a file that the person has worked in last. */
  private source: vscode.TextEditor | undefined;
  private readonly scope: vscode.Disposable;

  constructor() {
    this.keep(vscode.window.activeTextEditor);
    this.scope = vscode.Disposable.from(
      vscode.window.onDidChangeActiveTextEditor((editor) => this.keep(editor)),
      vscode.languages.registerCompletionItemProvider({ language: MESSAGE }, this, "@", "#", "/"),
    );
  }

  dispose(): void {
    this.scope.dispose();
  }

  /** A message with what it mentions. */
  async expand(message: string): Promise<string> {
    const names = [...new Set([...message.matchAll(MENTION)].map(([name]) => name))];
    const parts = await Promise.all(names.map((name) => this.part(name)));
    return message + parts.filter(Boolean).join("");
  }

  async provideCompletionItems(document: vscode.TextDocument, position: vscode.Position) {
    const before = document.lineAt(position.line).text.slice(0, position.character);
    const begun = BEGUN.exec(before)?.[0];
    if (begun === undefined) return [];
    const range = new vscode.Range(position.translate(0, -begun.length), position);
    const names = begun.startsWith("#") ? Object.keys(PARTS) : await filesLike(begun.slice(1));
    const kind = vscode.CompletionItemKind[begun.startsWith("#") ? "Reference" : "File"];
    const items = names.map((label) => Object.assign(new vscode.CompletionItem(label, kind), { range }));
    return new vscode.CompletionList(items, true);
  }

  private async part(name: string): Promise<string | undefined> {
    const { source } = this;
    if (name.startsWith("#")) return source && PARTS[name.replace(/[.,;:!?)]+$/, "")]?.(source);
    const path = name.slice(1).replace(/[.,;:!?)]+$/, "");
    const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
    const file = path.startsWith("/") || !folder ? vscode.Uri.file(path) : vscode.Uri.joinPath(folder, path);
    const text = await textOf(file);
    return text === undefined ? undefined : attachment(path, "", text);
  }

  private keep(editor: vscode.TextEditor | undefined): void {
    if (editor && ["file", "untitled", "vscode-remote"].includes(editor.document.uri.scheme))
      this.source = editor;
  }
}

/** The text of a file; undefined if there is none, if it is large, or no text. */
async function textOf(file: vscode.Uri): Promise<string | undefined> {
  try {
    const { type, size } = await vscode.workspace.fs.stat(file);
    if (!(type & vscode.FileType.File) || size > LARGEST) return undefined;
    const text = Buffer.from(await vscode.workspace.fs.readFile(file)).toString();
    return text.includes("\0") ? undefined : text;
  } catch {
    return undefined;
  }
}

/** Files as they are mentioned: those that the path that was begun leads to, then others of the workspace with these letters. */
async function filesLike(letters: string): Promise<string[]> {
  const found = await Promise.all([filesIn(letters), filesWith(letters)]);
  return [...new Set(found.flat())].map((path) => `@${path}`);
}

/** What is in the folder that the letters name, and begins like them. A folder ends with a slash. */
async function filesIn(letters: string): Promise<string[]> {
  const root = vscode.workspace.workspaceFolders?.[0]?.uri;
  if (!root) return [];
  const parent = letters.slice(0, letters.lastIndexOf("/") + 1);
  const folder = parent.startsWith("/") ? vscode.Uri.file(parent) : vscode.Uri.joinPath(root, parent);
  const entries = await vscode.workspace.fs.readDirectory(folder).then(
    (read) => read,
    () => [],
  );
  const paths = entries.map(
    ([name, type]) => `${parent}${name}${type & vscode.FileType.Directory ? "/" : ""}`,
  );
  return paths.filter((path) => path.startsWith(letters)).toSorted();
}

/** Files anywhere in the workspace whose name holds the letters, as far as they are found in time. */
async function filesWith(letters: string): Promise<string[]> {
  if (!letters) return [];
  const late = new vscode.CancellationTokenSource();
  const timer = setTimeout(() => late.cancel(), SEARCH);
  const safe = letters.replaceAll(/[[\]{}*?,]/g, "?");
  const nothing = new Promise<vscode.Uri[]>((resolve) =>
    late.token.onCancellationRequested(() => resolve([])),
  );
  const search = vscode.workspace.findFiles(`**/*${safe}*`, undefined, OFFERED, late.token);
  const files = await Promise.race([search, nothing]).catch(() => []);
  clearTimeout(timer);
  return files.map((file) => vscode.workspace.asRelativePath(file, false)).toSorted();
}

function nameOf({ uri }: vscode.TextDocument): string {
  return vscode.workspace.asRelativePath(uri);
}
