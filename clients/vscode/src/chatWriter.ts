/** Writes a turn's chunks as Markdown, into an answer of the chat view. */

import { joined } from "./fold";
import { toEditor } from "./languages";
import type { Chunk } from "./protocol";

/** Longer than fences that are likely in code. */
const FENCE = "``````";
/** Colours, titles and the like of a terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they begin with one
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\n]*\u0007?|.)/g;
/** Characters of a block's output that are shown; the conversation has all. */
const MOST_OUTPUT = 20_000;

export interface Page {
  markdown(text: string): void;
  progress(text: string): void;
}

export class ChatWriter {
  /** The fence that is open. */
  private open: "code" | "output" | undefined;
  private language = "";
  /** Whether the open block's code is there already. */
  private hasCode = false;
  private written = 0;

  constructor(private readonly page: Page) {}

  add(chunk: Chunk): void {
    if ("message" in chunk) {
      this.close();
      this.page.markdown(chunk.message);
    } else if ("language" in chunk) {
      this.close();
      this.language = chunk.language;
      this.hasCode = false;
    } else if ("code" in chunk) this.code(chunk.code);
    else if ("executing" in chunk) this.execute(chunk.executing);
    else if ("output" in chunk) this.output(chunk.output);
    else if ("display" in chunk) this.display(chunk.display);
    else if ("end_of_execution" in chunk) this.close();
    else if ("declined" in chunk) this.page.markdown("\n\n⊘\n\n");
    else if ("notice" in chunk) this.page.progress(chunk.notice.message);
  }

  /** Close the fence that is open. */
  close(): void {
    if (this.open) this.page.markdown(`\n${FENCE}\n\n`);
    this.open = undefined;
  }

  private code(text: string): void {
    if (this.open !== "code") this.begin("code", toEditor(this.language));
    this.hasCode = true;
    this.page.markdown(text);
  }

  /** The block is complete. If the person has changed its code, what runs is shown as well. */
  private execute({ code, language }: { code: string; language: string }): void {
    this.language = language;
    if (!this.hasCode) this.code(code);
    this.close();
    this.hasCode = false;
    this.written = 0;
  }

  private output(text: string): void {
    if (this.written > MOST_OUTPUT) return;
    if (this.open !== "output") this.begin("output", "text");
    this.written += text.length;
    this.page.markdown(this.written > MOST_OUTPUT ? "\n…" : text.replace(ESCAPES, ""));
  }

  private display(display: Record<string, unknown>): void {
    const mime = ["image/png", "image/jpeg"].find((type) => type in display);
    if (mime) {
      this.close();
      this.page.markdown(`\n\n![](data:${mime};base64,${joined(display[mime]).replaceAll(/\s/g, "")})\n\n`);
    } else if ("text/markdown" in display) {
      this.close();
      this.page.markdown(`\n\n${joined(display["text/markdown"])}\n\n`);
    } else this.output(`${joined(display["text/plain"] ?? "")}\n`);
  }

  private begin(kind: "code" | "output", language: string): void {
    this.close();
    this.page.markdown(`\n\n${FENCE}${language}\n`);
    this.open = kind;
  }
}
