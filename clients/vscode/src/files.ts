/** Conversations as files that live in the daemon: `oi:/<id>/<title>.oi`. */

import * as vscode from "vscode";
import { cellOf, dataOf } from "./cells";
import type { Daemon } from "./daemon";
import { type DraftStore, type Drafts, draftsOf, NONE, withDrafts } from "./drafts";
import { cellsOf, messagesOf } from "./fold";
import type { StoredMessage } from "./protocol";

export const SCHEME = "oi";

/** The content of a file of the daemon. A file on disk holds only a conversation's messages, as a list. */
interface Content {
  readonly messages: StoredMessage[];
  readonly drafts: Drafts;
}

export function uriOf(id: string, title: string): vscode.Uri {
  const name = title
    .replaceAll(/[/\\\p{Cc}]+/gu, " ")
    .trim()
    .slice(0, 60)
    .trim();
  return vscode.Uri.from({ scheme: SCHEME, path: `/${id}/${name || id}.oi` });
}

export function idOf(uri: vscode.Uri): string {
  return uri.path.split("/")[1] ?? "";
}

/** Reads messages from the history. The daemon saves them by itself; what is written here are the drafts. */
export class ConversationFiles implements vscode.FileSystemProvider {
  private readonly changes = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  readonly onDidChangeFile = this.changes.event;
  /** When a conversation was saved last, by its path. */
  private readonly saved = new Map<string, number>();

  constructor(
    private readonly daemon: Daemon,
    private readonly drafts: DraftStore,
    /** What a conversation begins with that has just begun, and of which the daemon knows nothing yet. */
    private readonly beginningOf: (id: string) => Drafts | undefined,
  ) {}

  stat(uri: vscode.Uri): vscode.FileStat {
    const mtime = this.saved.get(uri.path) ?? 0;
    const isFile = uri.path.endsWith(".oi");
    return { type: isFile ? vscode.FileType.File : vscode.FileType.Directory, ctime: 0, mtime, size: mtime };
  }

  async readFile(uri: vscode.Uri): Promise<Uint8Array> {
    const conversation = idOf(uri);
    const beginning = this.beginningOf(conversation);
    if (beginning) return encode({ messages: [], drafts: beginning } satisfies Content);
    const { messages } = await this.daemon.request("oi/history/get", { conversation });
    const drafts = await this.drafts.read(conversation);
    return encode({ messages, drafts } satisfies Content);
  }

  async writeFile(uri: vscode.Uri, bytes: Uint8Array): Promise<void> {
    const content = decode(bytes);
    await this.drafts.write(idOf(uri), Array.isArray(content) ? NONE : content.drafts);
    this.saved.set(uri.path, Date.now());
  }

  watch(): vscode.Disposable {
    return new vscode.Disposable(() => {});
  }

  readDirectory(): [] {
    return [];
  }

  createDirectory(): void {}

  delete(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  rename(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }
}

export const serializer: vscode.NotebookSerializer = {
  deserializeNotebook(bytes) {
    const content = decode(bytes);
    const isList = Array.isArray(content);
    const { messages, drafts } = isList ? { messages: content, drafts: NONE } : content;
    const notebook = new vscode.NotebookData(withDrafts(cellsOf(messages).map(dataOf), drafts));
    notebook.metadata = { isList };
    return notebook;
  },
  serializeNotebook({ cells, metadata }) {
    const messages = messagesOf(cells.map(cellOf));
    return metadata?.isList
      ? Buffer.from(JSON.stringify(messages, null, 2))
      : encode({ messages: original(cells), drafts: draftsOf(cells) } satisfies Content);
  },
};

/** The messages of the conversation, without the person's drafts. */
function original(cells: readonly vscode.NotebookCellData[]): StoredMessage[] {
  const own = cells.filter(({ metadata }) => metadata?.state || metadata?.role);
  return messagesOf(own.map((cell) => cellOf({ ...cell, value: cell.metadata?.source ?? cell.value })));
}

function encode(content: Content): Uint8Array {
  return Buffer.from(JSON.stringify(content));
}

function decode(bytes: Uint8Array): Content | StoredMessage[] {
  return JSON.parse(Buffer.from(bytes).toString() || "[]");
}
