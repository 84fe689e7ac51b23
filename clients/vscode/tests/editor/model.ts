/** A scripted OpenAI-compatible server on loopback: each request gets the next reply. */

import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

type Delta = Record<string, unknown>;

export interface Reply {
  readonly deltas: readonly Delta[];
  /** Milliseconds before each delta. */
  readonly delay?: number;
  /** An error in place of a stream. */
  readonly status?: number;
}

export function text(...parts: string[]): Reply {
  return { deltas: parts.map((content) => ({ content })) };
}

/** Words in pieces as a model sends them. */
export function words(message: string, delay = 5): Reply {
  return { ...text(...(message.match(/\s*\S+/g) ?? [])), delay };
}

/** A tool call with a block of code, in pieces. */
export function code(source: string, language = "python", delay = 5): Reply {
  const pieces = JSON.stringify({ language, code: source }).match(/.{1,7}/gs) ?? [];
  const call = (rest: Delta) => ({ tool_calls: [{ index: 0, ...rest }] });
  const head = call({ id: "call_0", type: "function", function: { name: "execute", arguments: "" } });
  return { deltas: [head, ...pieces.map((piece) => call({ function: { arguments: piece } }))], delay };
}

/** A reply that a model thinks about first, aloud. */
export function thinking(thoughts: string, reply: Reply, delay = 40): Reply {
  const pieces = thoughts.match(/\s*\S+/g) ?? [];
  return {
    deltas: [...pieces.map((reasoning_content) => ({ reasoning_content })), ...reply.deltas],
    delay,
  };
}

export function refusal(status: number): Reply {
  return { deltas: [], status };
}

/** The models that the server lists. */
const MODELS = ["gpt-4", "gpt-4o-mini", "gpt-4.1"];

export class Model {
  /** What was asked, in order. */
  readonly requests: { readonly body: Record<string, unknown>; readonly key: string | undefined }[] = [];
  private readonly script: Reply[] = [];
  private readonly server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      if (request.method === "GET") {
        const data = MODELS.map((id) => ({ object: "model", id }));
        return response.end(JSON.stringify({ object: "list", data }));
      }
      const key = request.headers.authorization?.replace("Bearer ", "");
      this.requests.push({ body: JSON.parse(Buffer.concat(parts).toString()), key });
      void answer(response, this.script.shift() ?? refusal(400));
    });
  });

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
  }

  /** What the next requests are answered with. */
  replies(...replies: Reply[]): void {
    this.script.splice(0, Number.POSITIVE_INFINITY, ...replies);
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

async function answer(response: ServerResponse, { deltas, delay = 0, status }: Reply): Promise<void> {
  if (status) {
    response.writeHead(status, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ error: { message: "Refused.", code: "refused" } }));
    return;
  }
  response.writeHead(200, { "Content-Type": "text/event-stream" });
  const began = performance.now();
  for (const [i, delta] of deltas.entries()) {
    const early = began + i * delay - performance.now();
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
    if (response.destroyed) return;
    response.write(event([{ index: 0, delta, finish_reason: null }]));
  }
  response.write(
    event([
      { index: 0, delta: {}, finish_reason: "tool_calls" in (deltas[0] ?? {}) ? "tool_calls" : "stop" },
    ]),
  );
  response.write(event([], { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 }));
  response.end("data: [DONE]\n\n");
}

function event(choices: unknown[], usage: unknown = null): string {
  const head = { id: "chatcmpl-1", object: "chat.completion.chunk", created: 0, model: "gpt-4" };
  return `data: ${JSON.stringify({ ...head, choices, usage })}\n\n`;
}
