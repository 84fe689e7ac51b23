/** Conversations as files that live in the daemon: `oi:/<id>/<title>.oi`. */

import * as vscode from "vscode";
import { cellOf, dataOf } from "./cells";
import type { Daemon } from "./daemon";
import { cellsOf, messagesOf } from "./fold";
import type { StoredMessage } from "./protocol";

export const SCHEME = "oi";

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

/** Reads from the history. The daemon saves by itself: what is written here is kept nowhere. */
export class ConversationFiles implements vscode.FileSystemProvider {
  private readonly changes = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  readonly onDidChangeFile = this.changes.event;
  private readonly saved = new Map<string, number>();

  constructor(private readonly daemon: Daemon) {}

  stat(uri: vscode.Uri): vscode.FileStat {
    const mtime = this.saved.get(uri.path) ?? 0;
    const isFile = uri.path.endsWith(".oi");
    return { type: isFile ? vscode.FileType.File : vscode.FileType.Directory, ctime: 0, mtime, size: mtime };
  }

  async readFile(uri: vscode.Uri): Promise<Uint8Array> {
    const { messages } = await this.daemon.request("oi/history/get", { conversation: idOf(uri) });
    return Buffer.from(JSON.stringify(messages));
  }

  writeFile(uri: vscode.Uri): void {
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

/** A notebook's bytes are the conversation's messages. */
export const serializer: vscode.NotebookSerializer = {
  deserializeNotebook(bytes) {
    const messages = JSON.parse(Buffer.from(bytes).toString() || "[]") as StoredMessage[];
    return new vscode.NotebookData(cellsOf(messages).map(dataOf));
  },
  serializeNotebook({ cells }) {
    return Buffer.from(JSON.stringify(messagesOf(cells.map(cellOf)), null, 2));
  },
};
