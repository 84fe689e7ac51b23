/** The turn under way in a conversation: what it has added so far, and where that is drawn. */

import type * as vscode from "vscode";
import type { Canvas } from "./canvas";
import { type Block, type Cells, echo, fold, isAnswered, settle } from "./fold";
import type { ChunkParams } from "./protocol";

export interface Beginning {
  /** Whether it was begun here, so that its request tells when it ends. */
  readonly isOwn: boolean;
  /** What the person has asked here. */
  readonly question?: string | undefined;
}

export class Turn {
  readonly isOwn: boolean;
  readonly question: string | undefined;

  constructor(
    private cells: Cells,
    readonly canvas: Canvas,
    { isOwn, question }: Beginning,
  ) {
    this.isOwn = isOwn;
    this.question = question;
    if (cells.length > 0) canvas.draw(cells);
  }

  /** The block that was written or run last, and its cell once it shows all of it. */
  get last(): { readonly block: Block; readonly cell: vscode.NotebookCell | undefined } | undefined {
    const block = this.cells.at(-1);
    const cell = this.canvas.at(this.cells.length - 1);
    return block?.kind === "block" ? { block, cell: cell && cell.index >= 0 ? cell : undefined } : undefined;
  }

  /** The message with which it began here: the question with what it mentions. */
  get message(): string | undefined {
    const first = this.cells[0];
    return this.question !== undefined && first?.kind === "words" ? first.text : undefined;
  }

  /** Whether the model has said something. */
  get isAnswered(): boolean {
    return isAnswered(this.cells);
  }

  add(params: ChunkParams): void {
    this.show(fold(this.cells, params));
  }

  /** Put cells before those that there are. */
  precede(cells: Cells): void {
    this.show([...cells, ...this.cells]);
  }

  /** Show a prompt with its answer in the output of the block that runs. */
  echo(text: string): void {
    this.show(echo(this.cells, text));
  }

  /** Take all away that it has added. */
  clear(): void {
    this.show([]);
  }

  /** Draw what is left, as it is at the end. */
  async end(): Promise<void> {
    this.show(settle(this.cells));
    await this.canvas.finish();
  }

  private show(cells: Cells): void {
    this.cells = cells;
    this.canvas.draw(cells);
  }
}
