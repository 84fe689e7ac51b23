// biome-ignore-all lint/suspicious/noControlCharactersInRegex: they are what this is about
/** Output as it looks in a terminal (docs/protocol.md, "Output as lines"). Pure. */

/** Column to which a sequence can move the cursor, beyond the end of a line. */
const FARTHEST = 999;

const CONTROL = /[\0-\x08\x0b-\x1f\x7f]/;
/** The next token: text, end of a line, colour, sequence, string, anything else. */
const TOKEN =
  /([^\0-\x08\n-\x1f\x7f]+)|(\r?\n)|(\x1b\[[0-9;:]{0,64}m)|\x1b\[([0-?]{0,64})[ -/]{0,8}([@-~])|\x1b[\]PX^_][^\x07\x1b\n]*\x07?|\x1b[ -/]{0,8}[0-~]|[\0-\x1f\x7f]/gu;
const UNFINISHED = /\x1b(?:\[[0-?]{0,64}[ -/]{0,8}|[ -/]{0,8})$/;
const CELL = /(?:\x1b\[[0-9;:]*m)*[^\x1b](?:(?:\x1b\[[0-9;:]*m)+$)?/gu;
/** Rows down and columns right, by the last character of a sequence. */
const STEPS: Record<string, [number, number]> = {
  A: [-1, 0],
  B: [1, 0],
  C: [0, 1],
  D: [0, -1],
  E: [1, 0],
  F: [-1, 0],
};

/** The output as it finally looks: overwritten lines in their last state. Colours stay; other sequences do not. */
export function asShown(output: string): string {
  if (!CONTROL.test(output)) return output;
  const lines = new Lines();
  for (const token of output.replace(UNFINISHED, "").matchAll(TOKEN)) lines.process(token);
  return String(lines);
}

class Lines {
  private rows = [""];
  private row = 0;
  /** The text of the cursor's row: in any pieces, or in cells once the cursor has moved. */
  private pieces: string[] = [];
  /** The cursor's column. Undefined while it is at the end of its row and has not moved. */
  private column: number | undefined;
  /** Sequences of colours for the next cell, or for the row's end. */
  private colour = "";
  /** Whether something was overwritten or erased, which leaves blanks at the ends of lines. */
  private changed = false;

  toString(): string {
    this.keepRow();
    return (this.changed ? this.rows.map((row) => row.replace(/ +$/, "")) : this.rows).join("\n");
  }

  process([all, text, newline, colour, numbers, final]: RegExpExecArray): void {
    if (text) this.put(text);
    else if (newline) this.endLine();
    else if (colour) this.paint(colour);
    else if (final) this.control(final, numbers ?? "");
    else if (all === "\r") this.go(this.row, 0);
    else if (all === "\b") this.go(this.row, this.here() - 1);
  }

  private put(text: string): void {
    if (this.column === undefined) {
      this.pieces.push(text);
      return;
    }
    while (this.pieces.length < this.column) this.pieces.push(" ");
    for (const cell of text) {
      this.pieces[this.column++] = this.colour + cell;
      this.colour = "";
    }
    this.changed = true;
  }

  private paint(colour: string): void {
    if (this.column === undefined) this.pieces.push(colour);
    else this.colour += colour;
  }

  private endLine(): void {
    this.keepRow();
    if (this.row < this.rows.length - 1) {
      this.go(this.row + 1, 0);
      return;
    }
    this.row = this.rows.push("") - 1;
    this.pieces = [];
    this.column = undefined;
  }

  private control(final: string, numbers: string): void {
    const [first = 0, second = 0] = numbers.split(";").map((n) => (/^\d+$/.test(n) ? Number(n) : 0));
    const count = Math.max(first, 1);
    const step = STEPS[final];
    if (step) {
      const column = "EF".includes(final) ? 0 : this.here();
      this.go(this.row + step[0] * count, column + step[1] * count);
    } else if (final === "G") {
      this.go(this.row, count - 1);
    } else if ("Hf".includes(final)) {
      this.go(count - 1, Math.max(second, 1) - 1);
    } else if (final === "K") {
      this.erase(first);
    } else if (final === "J" && first === 0) {
      this.erase(0);
      this.rows.splice(this.row + 1);
    } else if (final === "J" && first === 2) {
      Object.assign(this, new Lines());
    }
  }

  /** Erase a part of the cursor's row: from the cursor on (0), up to it (1), or all (2). */
  private erase(which: number): void {
    const column = this.here();
    if (which === 0) this.pieces.splice(column);
    else if (which === 1) this.pieces.splice(0, column + 1, ...Array<string>(column + 1).fill(" "));
    else if (which === 2) this.pieces = [];
    this.changed = true;
  }

  /** The cursor's column. Turns the cursor's row into cells. */
  private here(): number {
    if (this.column === undefined) {
      const row = this.pieces.join("");
      this.pieces = cells(row);
      this.column = this.pieces.length;
      if (this.column === 0) this.colour = row;
    }
    return this.column;
  }

  /** Move the cursor, within the rows that exist. */
  private go(to: number, column: number): void {
    this.here();
    const row = Math.min(Math.max(to, 0), this.rows.length - 1);
    if (row !== this.row) {
      this.keepRow();
      this.row = row;
      this.pieces = cells(this.rows[row] ?? "");
    }
    this.column = Math.min(Math.max(column, 0), Math.max(FARTHEST, this.pieces.length));
  }

  private keepRow(): void {
    this.rows[this.row] = this.pieces.join("") + this.colour;
    this.colour = "";
  }
}

function cells(row: string): string[] {
  return row.match(CELL) ?? [];
}
