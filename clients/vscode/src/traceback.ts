/** Tracebacks as VS Code's renderer of errors understands them, so that their frames are links. Pure. */

const FRAME = /^(\s*)File "(.+?)", line (\d+)(.*)$/;
const BLOCK = /^<block (\d+)>$/;

/** Which of a conversation's blocks is shown with which number beside its cell. */
export class Executions {
  /** The number of the latest block. */
  private latest = 0;
  private readonly orders = new Map<string, number[]>();

  /** The number of a block that begins to run. */
  begin(language: string): number {
    const order = ++this.latest;
    this.orders.set(language, [...(this.orders.get(language) ?? []), order]);
    return order;
  }

  /** The number of the block that ran so many blocks of its language before the latest one. */
  before(language: string, distance: number): number | undefined {
    return this.orders.get(language)?.at(-1 - distance);
  }
}

/** The lines with each frame of Python as a place that can be clicked. The first block in it is the latest one. */
export function linked(lines: readonly string[], executions?: Executions): string[] {
  const numbers = lines.map((line) => Number(BLOCK.exec(FRAME.exec(line)?.[2] ?? "")?.[1]));
  const latest = numbers.find((number) => number > 0) ?? 0;
  return lines.map((line, i) => {
    const [, indent, file, place, rest] = FRAME.exec(line) ?? [];
    if (file === undefined) return line;
    const block = numbers[i] as number;
    if (!block) return file.startsWith("<") ? line : `${indent}File ${file}:${place}${rest}`;
    const order = block <= latest ? executions?.before("python", latest - block) : undefined;
    return order ? `${indent}Cell In[${order}], line ${place}${rest}` : line;
  });
}
