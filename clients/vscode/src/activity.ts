/** What a conversation is doing, in words, by the daemon's states and chunks. Pure: it knows no VS Code. */

import { PHRASES, SILENT, WORDS } from "./activityWords";
import type { ChunkParams, ConversationState } from "./protocol";

export type Kind = keyof typeof WORDS;
/** Translates a text and puts values in the place of the names in braces. */
export type Translate = (text: string, values: Record<string, string>) => string;

const TIMED: readonly Kind[] = ["waiting", "loading", "thinking", "running"];

export class Activity {
  private kind: Kind = "idle";
  /** The language of the block under way. */
  private language = "";
  /** When this began, in seconds; while the model writes, when its latest text came. */
  private since = 0;
  /** When the model's server is asked again. */
  private deadline = 0;

  constructor(
    private readonly translate: Translate,
    /** The time in seconds. */
    private readonly now = () => Date.now() / 1000,
  ) {}

  /** Take a state that no chunk has told: at the beginning of a turn, after an answer, at the end. */
  enter(state: ConversationState, language = this.language): void {
    this.language = language;
    this.change(state === "thinking" ? "waiting" : state);
  }

  /** Take in a chunk. */
  add({ chunk, state }: Pick<ChunkParams, "chunk" | "state">): void {
    if ("executing" in chunk) this.language = chunk.executing.language;
    if ("notice" in chunk) {
      const { kind, seconds = 0 } = chunk.notice;
      if (kind === "retry") this.deadline = this.now() + seconds;
      else if (kind !== "loading") return;
    }
    this.change(state === "thinking" ? kindOf(chunk) : state);
  }

  /** What the conversation is doing now, with the time that it has taken. */
  words(model: string): string {
    if (this.kind === "retrying" && this.now() >= this.deadline) this.change("waiting");
    const past = this.now() - this.since;
    const kind = this.kind === "writing" && past >= SILENT ? "waiting" : this.kind;
    const words = this.translate(WORDS[kind], {
      model: model || this.translate(PHRASES.any_model, {}),
      language: this.language || this.translate(PHRASES.any_language, {}),
      time: duration(this.translate, Math.ceil(this.deadline - this.now())),
    });
    if (!TIMED.includes(kind) || past < SILENT) return words;
    return this.translate(PHRASES.timed, { words, time: duration(this.translate, Math.floor(past)) });
  }

  private change(kind: Kind): void {
    if (kind === this.kind && kind !== "retrying" && kind !== "writing") return;
    this.kind = kind;
    this.since = this.now();
  }
}

/** What the model is doing, by its latest chunk. */
function kindOf(chunk: ChunkParams["chunk"]): Kind {
  if ("notice" in chunk) return "loading";
  if ("thinking" in chunk) return "thinking";
  return "message" in chunk || "language" in chunk || "code" in chunk ? "writing" : "waiting";
}

/** The line that stands for thinking that has taken so long. */
export function thought(translate: Translate, seconds: number): string {
  return translate(PHRASES.thought, { time: duration(translate, Math.max(1, Math.round(seconds))) });
}

function duration(translate: Translate, seconds: number): string {
  const values = { minutes: `${Math.floor(seconds / 60)}`, seconds: `${seconds % 60}` };
  return translate(seconds < 60 ? PHRASES.seconds : PHRASES.minutes, values);
}
