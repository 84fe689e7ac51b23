/** Folds chunks into cells: what a conversation shows. Pure: it knows neither VS Code nor the daemon. */

import { asShown } from "./lines";
import type { BlockError, BlockResult, ChunkParams, StoredMessage } from "./protocol";

/** A display that has this key replaces an earlier one of the block with the same value. */
const DISPLAY_ID = "application/vnd.oi.display-id";
/** The sequence that clears the screen. */
const CLEAR = "\x1b[2J";

export type Bundle = Record<string, unknown>;
/** Text that was written. */
export interface Written {
  readonly text: string;
  /** Whether it is a prompt with its answer, which is shown and not stored. */
  readonly isEcho?: true;
  /** The error that this text tells of. */
  readonly error?: BlockError;
}

/** Text, or a display as a MIME bundle. */
export type Output = Written | { readonly display: Bundle };

/** A message of the person or of the model. */
export interface Words {
  readonly kind: "words";
  readonly role: "user" | "assistant";
  readonly text: string;
  /** Thinking in the midst of the message. It is shown once the message has ended with it. */
  readonly aside?: Thinking;
}

export type BlockState = "writing" | "waiting" | "running" | "ended" | "interrupted" | "declined";

/** A block of code with its output. */
export interface Block {
  readonly kind: "block";
  readonly language: string;
  readonly code: string;
  readonly outputs: readonly Output[];
  readonly state: BlockState;
  /** The id that an answer has to name, while the block waits. */
  readonly approval?: string;
  /** Number of the line that runs now, from 1. */
  readonly activeLine?: number;
  /** How it ended, if it did not just run to its end. */
  readonly status?: BlockFailure | undefined;
  /** The error that ended it, if its language tells it. */
  readonly error?: BlockError | undefined;
}

export type BlockFailure = Exclude<BlockResult["status"], "ok">;

/** What the model tells of its thinking. It is shown, and not part of the conversation. */
export interface Thinking {
  readonly kind: "thinking";
  readonly text: string;
  /** When it began, in milliseconds. */
  readonly began: number;
  /** How long it has taken. Undefined while it goes on. */
  readonly seconds?: number;
}

export type Cell = Words | Block | Thinking;
export type Cells = readonly Cell[];

type Folded = Pick<ChunkParams, "chunk" | "approval" | "result">;

/** The cells after one more chunk. Chunks that add nothing to the cells, and unknown ones, are ignored. */
export function fold(cells: Cells, params: Folded, now = Date.now()): Cells {
  const { chunk } = params;
  if ("thinking" in chunk) return think(cells, chunk.thinking, now);
  if ("notice" in chunk) return chunk.notice.kind === "retry" ? withoutOpenThinking(cells) : cells;
  const led = endThinking(cells, chunk, now);
  const folded = foldMessage(led, params);
  return folded === led ? cells : folded;
}

/** The cells after a chunk that may add to the conversation's messages. */
function foldMessage(cells: Cells, { chunk, approval, result }: Folded): Cells {
  if ("message" in chunk) {
    const last = cells.at(-1);
    return last?.kind === "words" && last.role === "assistant"
      ? [...cells.slice(0, -1), { ...last, text: last.text + chunk.message }]
      : [...settle(cells), { kind: "words", role: "assistant", text: chunk.message }];
  }
  if ("language" in chunk) return [...settle(cells), block(chunk.language)];
  if ("code" in chunk) return change(cells, (open) => ({ ...open, code: open.code + chunk.code }));
  if ("executing" in chunk) {
    return change(cells, ({ approval: _, ...open }) =>
      approval
        ? { ...open, ...chunk.executing, state: "waiting", approval }
        : { ...open, ...chunk.executing, state: "running" },
    );
  }
  if ("declined" in chunk) return change(cells, (open) => end(open, "declined"));
  if ("input" in chunk && !openBlock(cells)) return cells; // a question of the daemon itself
  if ("end_of_execution" in chunk)
    return change(cells, (open) => raised({ ...end(open, "ended"), ...failure(result) }));
  const isWritten = "output" in chunk || "display" in chunk || "active_line" in chunk || "input" in chunk;
  return isWritten ? change(cells, (open) => write({ ...open, state: "running" }, chunk)) : cells;
}

/** The cells after more thinking. It does not part what the model was writing. */
function think(cells: Cells, text: string, now: number): Cells {
  const last = cells.at(-1);
  const more = ({ seconds: _, ...thinking }: Thinking) => ({ ...thinking, text: thinking.text + text });
  const begun: Thinking = { kind: "thinking", text: "", began: now };
  if (last?.kind === "thinking") return [...cells.slice(0, -1), more(last)];
  if (last?.kind === "words" && last.role === "assistant") {
    return [...cells.slice(0, -1), { ...last, aside: more(last.aside ?? begun) }];
  }
  return last?.kind === "block" && !isOver(last) ? cells : [...cells, more(begun)];
}

/** The cells once thinking has led to this chunk. If a message goes on, thinking in its midst is not shown. */
function endThinking(cells: Cells, chunk: ChunkParams["chunk"], now: number): Cells {
  const last = cells.at(-1);
  const ended = (thinking: Thinking) => ({ ...thinking, seconds: (now - thinking.began) / 1000 });
  if (last?.kind === "thinking") return [...cells.slice(0, -1), ended(last)];
  if (last?.kind !== "words" || !last.aside) return cells;
  const { aside, ...words } = last;
  return [...cells.slice(0, -1), words, ...("message" in chunk ? [] : [ended(aside)])];
}

function withoutOpenThinking(cells: Cells): Cells {
  const last = cells.at(-1);
  return last?.kind === "thinking" && last.seconds === undefined ? cells.slice(0, -1) : cells;
}

/** The cells with a prompt and its answer in the output of the block that runs. */
export function echo(cells: Cells, text: string): Cells {
  const last = openBlock(cells);
  return last
    ? [...cells.slice(0, -1), { ...last, outputs: [...last.outputs, { text, isEcho: true }] }]
    : cells;
}

/** Whether cells hold something of the model, besides its thinking. */
export function isAnswered(cells: Cells): boolean {
  return cells.some((cell) => cell.kind === "block" || (cell.kind === "words" && cell.role === "assistant"));
}

/** The cells at the end of a turn: a block that waited was declined, one that ran was interrupted, and
 * thinking that led to nothing is removed. */
export function settle(all: Cells): Cells {
  const cells = withoutOpenThinking(all);
  const last = cells.at(-1);
  if (last?.kind !== "block" || isOver(last)) return cells;
  return [...cells.slice(0, -1), end(last, last.state === "waiting" ? "declined" : "interrupted")];
}

function openBlock(cells: Cells): Block | undefined {
  const last = cells.at(-1);
  return last?.kind === "block" && !isOver(last) ? last : undefined;
}

export function isOver(block: Block): boolean {
  return block.state === "ended" || block.state === "interrupted" || block.state === "declined";
}

/** The cells of stored messages. */
export function cellsOf(messages: readonly StoredMessage[]): Cells {
  return messages.map((message) => {
    if ("message" in message) return { kind: "words", role: message.role, text: message.message };
    const { language, code, output, displays = [], status, error } = message;
    const outputs = output === undefined ? [] : [...parts(output, displays)];
    const written = { ...block(language), code, outputs };
    if (status === "declined") return { ...written, state: status };
    const state = output === undefined ? "interrupted" : "ended";
    return raised({ ...written, state, ...failure({ status, error }) });
  });
}

/** The messages that are stored for these cells. */
export function messagesOf(cells: Cells): StoredMessage[] {
  return cells.flatMap((cell): StoredMessage[] => {
    if (cell.kind === "words") return [{ role: cell.role, message: cell.text }];
    if (cell.kind !== "block") return [];
    const { language, code, outputs } = cell;
    const stored = { role: "assistant", language, code } as const;
    if (cell.state === "declined") return [{ ...stored, status: "declined" }];
    if (cell.state !== "ended" && outputs.length === 0) return [stored];
    const written = outputs.filter((each) => !("text" in each && each.isEcho));
    const output = asShown(written.map(plain).join("")).replace(/\n$/, "");
    const displays = outputs.flatMap((each) => ("display" in each ? [each.display] : []));
    const { status, error } = cell;
    const known = { ...(displays.length > 0 && { displays }), ...failure({ status, error }) };
    return [{ ...stored, output, ...known }];
  });
}

function block(language: string): Block {
  return { kind: "block", language, code: "", outputs: [], state: "writing" };
}

/** The cells with the open block changed. If none is open, a new one begins. */
function change(cells: Cells, to: (open: Block) => Block): Cells {
  const last = cells.at(-1);
  return last?.kind === "block" && !isOver(last)
    ? [...cells.slice(0, -1), to(last)]
    : [...cells, to(block(""))];
}

function end({ approval: _, activeLine: __, ...open }: Block, state: BlockState): Block {
  return { ...open, state };
}

/** What a result, or a stored message, tells of how a block ended. */
type Told = { readonly status?: BlockResult["status"] | undefined; readonly error?: BlockError | undefined };

/** What is kept of how a block ended, where it says something. */
function failure(result?: Told | null): { status?: BlockFailure; error?: BlockError } {
  const { status, error } = result ?? {};
  return { ...(status && status !== "ok" && { status }), ...(error && { error }) };
}

/** The block with the text of its error as an output of its own, if it was written last. */
function raised(block: Block): Block {
  const { error, outputs } = block;
  const last = outputs.at(-1);
  const told = error?.traceback.join("\n");
  if (!error || !told || !last || "display" in last) return block;
  const at = last.text.trimEnd().length - told.length;
  if (at < 0 || !last.text.startsWith(told, at)) return block;
  const before = at > 0 ? [{ text: last.text.slice(0, at) }] : [];
  return { ...block, outputs: [...outputs.slice(0, -1), ...before, { text: last.text.slice(at), error }] };
}

function write(open: Block, chunk: ChunkParams["chunk"]): Block {
  if ("output" in chunk) return { ...open, outputs: append(open.outputs, chunk.output) };
  if ("display" in chunk) return { ...open, outputs: show(open.outputs, chunk.display) };
  if (!("active_line" in chunk)) return open;
  const { activeLine: _, ...rest } = open;
  return chunk.active_line === null ? rest : { ...rest, activeLine: chunk.active_line };
}

function append(outputs: readonly Output[], text: string): readonly Output[] {
  const last = outputs.at(-1);
  if (!last || "display" in last || last.isEcho) return cleared([...outputs, { text }]);
  return cleared([...outputs.slice(0, -1), { text: last.text + text }]);
}

/** The outputs after the last sequence that clears the screen. */
function cleared(outputs: readonly Output[]): readonly Output[] {
  const last = outputs.at(-1);
  const at = last && "text" in last ? last.text.lastIndexOf(CLEAR) : -1;
  return last && "text" in last && at >= 0 ? [{ text: last.text.slice(at + CLEAR.length) }] : outputs;
}

function show(outputs: readonly Output[], display: Bundle): readonly Output[] {
  const id = display[DISPLAY_ID];
  const at = outputs.findIndex(
    (each) => id !== undefined && "display" in each && each.display[DISPLAY_ID] === id,
  );
  return at < 0 ? [...outputs, { display }] : outputs.with(at, { display });
}

/** The text that an output adds to the stored output. */
function plain(output: Output): string {
  if ("text" in output) return output.text;
  const text = output.display["text/plain"];
  return text === undefined ? "" : `${joined(text)}\n`;
}

/** The parts of a stored output: each display in the place of its plain text. */
function* parts(output: string, displays: readonly Bundle[]): Generator<Output> {
  let rest = output;
  for (const display of displays) {
    const text = joined(display["text/plain"] ?? "");
    const at = text ? rest.indexOf(text) : 0;
    if (at > 0) yield { text: rest.slice(0, at) };
    if (at >= 0) rest = rest.slice(at + text.length).replace(/^\n/, "");
    yield { display };
  }
  if (rest) yield { text: rest };
}

/** A text of a bundle, which may be a list of lines. */
export function joined(value: unknown): string {
  return Array.isArray(value) ? value.join("") : String(value);
}
