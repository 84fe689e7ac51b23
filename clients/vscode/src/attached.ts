/** What `oi/attach` tells of a conversation, as cells. Pure: it knows no VS Code. */

import { type Cells, cellsOf, fold } from "./fold";
import type { Attached } from "./protocol";

/** The cells of a conversation that was attached to. */
export interface Seen {
  /** Those that change no more. */
  readonly settled: Cells;
  /** Those that the turn under way goes on with. */
  readonly open: Cells;
  /** Whether a turn is under way. */
  readonly isBusy: boolean;
}

export function seen({ messages, turn, state }: Attached): Seen {
  const { messages: added = [], finished = 0 } = turn ?? {};
  const settled = cellsOf([...messages, ...added.slice(0, finished)]);
  return { settled, open: turn ? openCells(turn, state) : [], isBusy: state !== "idle" };
}

/** The cells that the unfinished chunks fold to, with the chunks that only say that a block runs, waits or has ended. */
function openCells(
  { unfinished, approval, active_line }: NonNullable<Attached["turn"]>,
  state: Attached["state"],
): Cells {
  const cells = unfinished.reduce<Cells>((folded, chunk) => fold(folded, { chunk }), []);
  const last = cells.at(-1);
  if (last?.kind !== "block") return cells;
  const { code, language } = last;
  if (approval) return fold(cells, { chunk: { executing: approval }, approval: approval.id });
  if (state === "running" || state === "input") {
    const running = fold(cells, { chunk: { executing: { code, language } } });
    return active_line ? fold(running, { chunk: { active_line } }) : running;
  }
  return last.state === "running" ? fold(cells, { chunk: { end_of_execution: true } }) : cells;
}
