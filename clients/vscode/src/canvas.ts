/** Draws cells in a notebook, at most once a frame. Text that has grown is appended; what was drawn stays. */

import * as vscode from "vscode";
import { dataOf, isFailed, MESSAGE, metadataOf, outputOf, sourceOf } from "./cells";
import { type Block, type Cell, type Cells, isOver, type Output, type Written } from "./fold";
import { toEditor } from "./languages";
import type { Executions } from "./traceback";

/** Milliseconds between two drawings. */
const FRAME = 40;

/** A cell of the notebook, and what was drawn there last. */
interface Drawn {
  readonly at: vscode.NotebookCell;
  cell: Cell;
  execution?: vscode.NotebookCellExecution;
  outputs: vscode.NotebookCellOutput[];
}

/** Shows the cells of one turn. */
export class Canvas {
  private drawn: Drawn[] = [];
  private wanted: Cells = [];
  private drawing: Promise<void> | undefined;
  private isLeft = false;

  constructor(
    private readonly notebook: vscode.NotebookDocument,
    private readonly controller: vscode.NotebookController,
    /** Called after each drawing, with the last of the turn's cells. */
    private readonly onDrawn: (last: vscode.NotebookCell) => void,
    private readonly executions: Executions,
    /** When it may begin to draw. Resolves to a cell that shows the first of the turn's cells already. */
    private ready?: Promise<vscode.NotebookCell | undefined>,
  ) {}

  /** Show the first of the turn's cells in an existing cell of the notebook. */
  adopt(cell: Cell, at: vscode.NotebookCell): void {
    this.wanted = [cell];
    this.drawn = [{ cell, at, outputs: [] }];
  }

  /** Draw these cells with the next frame. */
  draw(cells: Cells): void {
    this.wanted = cells;
    this.drawing ??= this.drawSoon();
  }

  /** Draw nothing more: nobody sees it. */
  leave(): void {
    this.isLeft = true;
    for (const { execution } of this.drawn) execution?.end(undefined);
  }

  /** Wait until everything is drawn. */
  async settled(): Promise<void> {
    while (this.drawing) await this.drawing;
  }

  /** Draw everything, and note in the cells that this is their text in the conversation. */
  async finish(): Promise<void> {
    await this.settled();
    if (this.isOver) return;
    const edits = this.drawn
      .filter(({ at }) => at.index >= 0)
      .map(({ at, cell }) =>
        vscode.NotebookEdit.updateCellMetadata(at.index, { ...at.metadata, ...metadataOf(cell) }),
      );
    const edit = new vscode.WorkspaceEdit();
    edit.set(this.notebook.uri, edits);
    await vscode.workspace.applyEdit(edit);
  }

  /** The notebook's cell that shows the turn's cell of this index, once it has been drawn. */
  at(index: number): vscode.NotebookCell | undefined {
    return this.drawn[index]?.at;
  }

  /** Whether something has changed since it was drawn. */
  get isStale(): boolean {
    const { wanted, drawn } = this;
    return (
      !this.isOver && (wanted.length !== drawn.length || wanted.some((cell, i) => cell !== drawn[i]?.cell))
    );
  }

  private async drawSoon(): Promise<void> {
    try {
      await this.drawNow();
      await new Promise((resolve) => setTimeout(resolve, FRAME));
    } finally {
      this.drawing = undefined;
    }
    if (this.isStale) this.draw(this.wanted);
  }

  private async drawNow(): Promise<void> {
    const adopted = await this.ready;
    this.ready = undefined;
    if (this.isOver) return;
    const wanted = this.wanted;
    if (adopted && wanted[0] && this.drawn.length === 0)
      this.drawn = [{ at: adopted, cell: blankOf(wanted[0]), outputs: [] }];
    const edit = new vscode.WorkspaceEdit();
    const surplus = this.drawn.splice(wanted.length).map(({ at }) => at.index);
    const changed = this.drawn.filter((each, i) => each.cell !== wanted[i] && each.at.index >= 0);
    for (const each of changed) this.editText(edit, each, wanted[this.drawn.indexOf(each)] as Cell);
    const added = wanted.slice(this.drawn.length);
    const place = this.place;
    const cells = [
      ...changed.flatMap((each) => marked(each, wanted[this.drawn.indexOf(each)] as Cell)),
      ...surplus.map((at) => vscode.NotebookEdit.deleteCells(new vscode.NotebookRange(at, at + 1))),
      ...(added.length > 0 ? [vscode.NotebookEdit.insertCells(place, added.map(blank))] : []),
    ];
    if (cells.length > 0) edit.set(this.notebook.uri, cells);
    if (cells.length + edit.size > 0) await vscode.workspace.applyEdit(edit);
    if (this.isOver) return;
    for (const [i, cell] of added.entries()) {
      this.drawn.push({ at: this.notebook.cellAt(place + i), cell: blankOf(cell), outputs: [] });
    }
    for (const [i, each] of this.drawn.entries()) {
      const cell = wanted[i] as Cell;
      if (cell === each.cell) continue;
      if (cell.kind === "block") await this.run(each, cell);
      if (this.isOver) return;
      each.cell = cell;
    }
    const last = this.drawn.at(-1);
    if (last) this.onDrawn(last.at);
  }

  /** Whether there is nowhere to draw any more. */
  private get isOver(): boolean {
    return this.isLeft || this.notebook.isClosed;
  }

  /** Index for new cells: after those of the turn; before a message that the person has begun. */
  private get place(): number {
    const last = this.drawn.findLast(({ at }) => at.index >= 0);
    if (last) return last.at.index + 1;
    const cells = this.notebook.getCells();
    return cells.findLastIndex((cell) => cell.document.languageId !== MESSAGE) + 1;
  }

  private editText(edit: vscode.WorkspaceEdit, { at, cell: old }: Drawn, cell: Cell): void {
    const document = at.document;
    const text = sourceOf(cell);
    const before = sourceOf(old);
    if (text === before || text === document.getText()) return;
    const end = document.lineAt(document.lineCount - 1).range.end;
    if (text.startsWith(before) && document.getText() === before) {
      edit.insert(document.uri, end, text.slice(before.length));
    } else {
      edit.replace(document.uri, new vscode.Range(0, 0, end.line, end.character), text);
    }
  }

  /** Bring the block's execution and outputs up to date. */
  private async run(drawn: Drawn, block: Block): Promise<void> {
    const language = toEditor(block.language);
    if (block.language && drawn.at.document.languageId !== language) {
      await vscode.languages.setTextDocumentLanguage(drawn.at.document, language).then(undefined, () => {});
    }
    if (!drawn.execution && ["running", "ended", "interrupted"].includes(block.state)) {
      drawn.execution = this.controller.createNotebookCellExecution(drawn.at);
      drawn.execution.executionOrder = this.executions.begin(block.language);
      drawn.execution.start(Date.now());
      drawn.outputs = [];
      void drawn.execution.clearOutput();
    }
    if (!drawn.execution) return;
    await this.write(drawn, drawn.execution, block.outputs);
    if (isOver(block)) {
      const isKnown = block.state === "ended" && block.status !== "interrupted";
      drawn.execution.end(isKnown ? !isFailed(block) : undefined, Date.now());
      delete drawn.execution;
    }
  }

  private async write(drawn: Drawn, execution: vscode.NotebookCellExecution, outputs: readonly Output[]) {
    const before = drawn.cell.kind === "block" ? drawn.cell.outputs : [];
    if (drawn.outputs.splice(outputs.length).length > 0) await execution.replaceOutput([...drawn.outputs]);
    for (const [i, output] of outputs.entries()) {
      const shown = drawn.outputs[i];
      const old = before[i];
      if (!shown) {
        drawn.outputs[i] = outputOf(output, this.executions);
        await execution.appendOutput(drawn.outputs[i] as vscode.NotebookCellOutput);
      } else if (old && isContinued(old, output)) {
        const more = (output as Written).text.slice((old as Written).text.length);
        if (more) await execution.appendOutputItems([vscode.NotebookCellOutputItem.stdout(more)], shown);
      } else if ("display" in output && output !== old) {
        await execution.replaceOutputItems([...outputOf(output).items], shown);
      } else if (output !== old) {
        drawn.outputs[i] = outputOf(output, this.executions);
        await execution.replaceOutput([...drawn.outputs]);
      }
    }
  }
}

/** Whether an output is an earlier one with more text. */
function isContinued(old: Output, output: Output): boolean {
  if ("display" in old || "display" in output) return false;
  return output.text.startsWith(old.text) && output.error === old.error;
}

/** The change of a cell's metadata. Markdown needs one to be rendered again: a new text is not enough for VS Code. */
function marked({ at, cell: old }: Drawn, cell: Cell): vscode.NotebookEdit[] {
  const hasNewState = cell.kind === "block" && old.kind === "block" && cell.state !== old.state;
  if (cell.kind !== "words" && cell.kind !== "thinking" && !hasNewState) return [];
  const length = cell.kind === "words" && old.kind === "words" ? { length: cell.text.length } : undefined;
  const changed = length ?? metadataOf(cell);
  return [vscode.NotebookEdit.updateCellMetadata(at.index, { ...at.metadata, ...changed })];
}

/** A new cell for the notebook. It has no `source` while it grows: what it shows is not the person's edit. */
function blank(cell: Cell): vscode.NotebookCellData {
  const data = dataOf(blankOf(cell));
  const { source: _, ...metadata } = data.metadata ?? {};
  return Object.assign(data, { metadata });
}

/** A new cell without its outputs: they are drawn by its execution. */
function blankOf(cell: Cell): Cell {
  return cell.kind === "block" ? { ...cell, outputs: [], state: "writing" } : cell;
}
