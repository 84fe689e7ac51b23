/** The editor that the tests of a file share, and its model. */

import { afterAll, beforeAll, beforeEach, test } from "vitest";
import { Editor } from "./editor";
import { Model } from "./model";

export let model: Model;
export let editor: Editor;

/** Start an editor for the tests that follow; each finds it with nothing open. */
export function useEditor(settings: Record<string, unknown> = {}): void {
  beforeAll(async () => {
    model = await new Model().start();
    editor = await Editor.start({ settings: { "oi.apiBase": model.url, ...settings } });
  });
  beforeEach(() => editor.clear());
  afterAll(async () => {
    await editor?.close();
    model?.stop();
  });
}

/** A test that keeps a picture of what went wrong. */
export function drive(name: string, work: () => Promise<void>): void {
  test(name, async () => {
    try {
      await work();
    } catch (error) {
      await editor.shot(`failed-${name.replaceAll(/\W+/g, "-")}`);
      throw error;
    }
  });
}
