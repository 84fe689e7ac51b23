/** A window of a real VS Code, driven in headless Chromium. */

import { type ChildProcess, execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { format } from "node:util";
import { type BrowserContext, chromium, type Frame, type Locator, type Page } from "playwright-core";
import { freePort, type Host, LATEST, type Options, ROOT, serve } from "./server";

const SHOTS = join(ROOT, "tests/shots", process.env.EDITOR_VERSION ?? "");
export class Editor {
  private constructor(
    readonly page: Page,
    readonly state: string,
    private readonly context: BrowserContext,
    private readonly server: ChildProcess,
    private readonly url: string,
  ) {}

  static async start(options: Options): Promise<Editor> {
    const state = mkdtempSync(join(tmpdir(), "oi-editor-"));
    const port = await freePort();
    const server = await serve(state, port, options);
    const context = await browse(state);
    context.setDefaultTimeout(LATEST);
    const page = context.pages()[0] ?? (await context.newPage());
    const editor = new Editor(page, state, context, server, `http://127.0.0.1:${port}/`);
    if (options.host) await editor.testInside(options.host);
    else await editor.open();
    return editor;
  }

  /** The folder that is open. */
  get workspace(): string {
    return join(this.state, "workspace");
  }

  get pid(): number {
    return this.server.pid as number;
  }

  async open(): Promise<void> {
    await this.page.goto(this.url, { waitUntil: "domcontentloaded" });
    await this.page.locator(".monaco-workbench").waitFor();
    await this.page.locator(".statusbar-item").first().waitFor();
  }

  /** Reload the window, as a person does. */
  async reload(): Promise<void> {
    const loaded = this.page.waitForEvent("domcontentloaded");
    await this.palette("Developer: Reload Window");
    await loaded;
    await this.page.locator(".statusbar-item").first().waitFor();
  }

  /** Have tests run in the extension host, as VS Code does it for all extensions. */
  private async testInside({ script, log, exit }: Host): Promise<void> {
    const uri = (path: string) => `vscode-remote://${new URL(this.url).host}${path}`;
    const payload = [
      ["extensionDevelopmentPath", uri(ROOT)],
      ["extensionTestsPath", uri(script)],
      ["skipWelcome", "true"],
    ];
    await this.page.exposeFunction("codeAutomationLog", (_type: string, parts: unknown[]) =>
      log(format(...parts)),
    );
    await this.page.exposeFunction("codeAutomationExit", exit);
    await this.page.goto(`${this.url}?payload=${encodeURIComponent(JSON.stringify(payload))}`);
  }

  /** Leave nothing open. */
  async clear(): Promise<void> {
    if (this.page.url() === "about:blank") return this.open();
    await this.page.keyboard.press("Escape");
    await this.palette("View: Close All Editors");
    await this.page.locator(".tabs-container .tab").waitFor({ state: "detached" });
    await this.palette("Notifications: Clear All Notifications");
  }

  /** Run a command from the palette. It knows an extension's commands only some time after the start. */
  async palette(command: string): Promise<void> {
    const row = this.page.locator(".quick-input-list .monaco-list-row", { hasText: command }).first();
    const input = this.page.locator(".quick-input-widget input[type=text]");
    await retry(async (again) => {
      if (again) await this.page.keyboard.press("Escape");
      await this.page.keyboard.press("F1");
      await input.fill(`>${command}`, { timeout: 5000 });
      await row.waitFor({ timeout: 3000 });
      await row.click({ timeout: 5000 });
    });
  }

  /** Whether the palette has this command now. */
  async offers(command: string): Promise<boolean> {
    await this.page.keyboard.press("F1");
    await this.page.locator(".quick-input-widget input[type=text]").fill(`>${command}`);
    const rows = this.page.locator(".quick-input-list .monaco-list-row");
    await rows.first().waitFor();
    const found = await rows.filter({ hasText: command }).count();
    await this.page.keyboard.press("Escape");
    return found > 0;
  }

  /** Make a file in the workspace, and open it. */
  async file(name: string, content: string): Promise<void> {
    writeFileSync(join(this.workspace, name), content);
    await this.page.locator(".explorer-folders-view .monaco-list-row", { hasText: name }).dblclick();
    await this.tab(name).waitFor();
    await this.page.locator(".editor-instance .monaco-editor.focused").waitFor();
  }

  /** Type into the box that is open, and press Enter. */
  async answer(value: string): Promise<void> {
    const input = this.page.locator(
      ".quick-input-widget input[type=text], .quick-input-widget input[type=password]",
    );
    await input.first().waitFor();
    await input.first().fill(value);
    await this.page.keyboard.press("Enter");
  }

  async chat(message: string): Promise<void> {
    await this.palette("Open Interpreter: Chat...");
    await this.page.locator(".quick-input-title", { hasText: "Open Interpreter" }).waitFor();
    await this.answer(message);
  }

  /** What is rendered: Markdown and outputs. After a reload, the frame of before is there for a moment. */
  get outputs(): Locator {
    return this.page
      .frameLocator("iframe.webview.ready:visible")
      .last()
      .frameLocator("iframe#active-frame")
      .locator("#container");
  }

  /** A rendered Markdown cell or output with this text. */
  rendered(text: string | RegExp): Locator {
    return this.outputs.getByText(text);
  }

  /** Until some notebook shows this text; those in the back are asked too. */
  async sees(text: string): Promise<void> {
    const deadline = Date.now() + LATEST;
    const shows = (frame: Frame) => frame.locator("#container").getByText(text).first().isVisible();
    while (
      !(await Promise.all(this.page.frames().map((frame) => shows(frame).catch(() => false)))).includes(true)
    ) {
      if (Date.now() > deadline) throw new Error(`No notebook shows "${text}".`);
      await this.page.waitForTimeout(100);
    }
  }

  /** Choose from the list that is open. */
  async pick(label: string): Promise<void> {
    await this.page.locator(".quick-input-list .monaco-list-row", { hasText: label }).first().click();
  }

  /** The box that asks. */
  box(text: string): Locator {
    return this.page.locator(".quick-input-widget", { hasText: text });
  }

  /** Until the cursor is in a cell, of this language if one is named. */
  async composing(language = ""): Promise<void> {
    await this.code(language).locator(".monaco-editor.focused").waitFor();
  }

  /** Type code over that in the cell that has the cursor. */
  async write(source: string): Promise<void> {
    await this.page.keyboard.press("Control+A");
    await this.page.keyboard.type(source);
    await this.code(source).waitFor();
  }

  /** The extension's item in the status bar. */
  get status(): Locator {
    return this.page.locator("[id='oi-daemon.open-interpreter.oi.status']");
  }

  /** The item in the status bar that says that code runs without a question. */
  get always(): Locator {
    return this.page.locator("[id='oi-daemon.open-interpreter.oi.always']");
  }

  /** A dialog that has to be answered. */
  dialog(text: string): Locator {
    return this.page.locator(".monaco-dialog-box", { hasText: text });
  }

  /** Until no turn is under way, and the toolbar shows that. When the state changes, VS Code replaces the
   * toolbar's buttons, and a click at that moment is lost. */
  async idle(): Promise<void> {
    await this.status.locator(".codicon-comment-discussion").waitFor();
    await this.toolbar.getByText("Stop", { exact: true }).first().waitFor({ state: "hidden" });
  }

  /** The notebook's toolbar. */
  get toolbar(): Locator {
    return this.page.locator(".notebook-toolbar-container");
  }

  /** Save by a command, under the name that it proposes: what was written. */
  async save(command: string, name: string): Promise<string> {
    const file = join(this.workspace, name);
    const pause = () => this.page.waitForTimeout(100);
    await this.palette(`Open Interpreter: ${command}`);
    const input = this.page.locator(".quick-input-widget input[type=text]");
    while (!(await input.inputValue()).endsWith(name)) await pause();
    await this.page.keyboard.press("Enter");
    while (!existsSync(file) || statSync(file).size === 0) await pause();
    return readFileSync(file, "utf8");
  }

  /** The ids of the editor's processes whose command line holds this word. */
  processes(word: string): number[] {
    return this.descendants(word).map(([pid]) => Number(pid));
  }

  /** The command lines of those processes. */
  commandLines(word: string): string[] {
    return this.descendants(word).map(([, , ...args]) => args.join(" "));
  }

  private descendants(word: string): string[][] {
    // Whole lines (-ww), however wide COLUMNS says that the terminal is.
    const all = execFileSync("ps", ["-ww", "-eo", "pid,ppid,args"], { encoding: "utf8" }).trim().split("\n");
    const rows = all.map((line) => line.trim().split(/\s+/));
    const parents = new Map(rows.map(([pid = "", parent = ""]) => [pid, parent]));
    const isOurs = (pid: string): boolean => {
      // A child's id may be smaller than its parent's, so the order of the rows says nothing.
      const parent = parents.get(pid);
      return parent !== undefined && (parent === String(this.pid) || isOurs(parent));
    };
    return rows.filter(([pid = "", , ...args]) => isOurs(pid) && args.join(" ").includes(word));
  }

  /** The code cells' editors. */
  code(text: string): Locator {
    return this.page.locator(".notebookOverlay .code-cell-row", { hasText: text });
  }

  /** A button under the code that waits. */
  button(name: string): Locator {
    return this.page.locator(".cell-statusbar-container .cell-status-item", { hasText: name }).first();
  }

  /** What is drawn behind the line that is being run. */
  get activeLine(): Locator {
    return this.page.locator(".notebookOverlay .view-overlays [class*='TextEditorDecorationType']").first();
  }

  /** The number of the line that is being run. */
  async activeNumber(): Promise<string | null> {
    const at = await this.activeLine.boundingBox({ timeout: 1000 }).catch(() => null);
    const numbers = this.page.locator(".notebookOverlay .code-cell-row .line-numbers");
    for (const number of await numbers.all()) {
      const box = await number.boundingBox({ timeout: 1000 }).catch(() => null);
      if (at && box && Math.abs(box.y - at.y) < 2) return number.textContent();
    }
    return null;
  }

  /** A notebook's tab. */
  tab(title: string): Locator {
    return this.page.locator(".tabs-container .tab", { hasText: title });
  }

  /** Type a character where the cursor is: milliseconds until it is shown. */
  async echo(character: string): Promise<number> {
    const watch = (typed: string) => {
      const echoed = new Promise<number>((resolve) => {
        let began = 0;
        const note = () => {
          began = performance.now();
        };
        addEventListener("keydown", note, { capture: true, once: true });
        const look = () => {
          const lines = [...document.querySelectorAll(".editor-instance .view-line")];
          const shown = began > 0 && lines.some((line) => line.textContent?.endsWith(typed));
          if (shown) resolve(performance.now() - began);
          else requestAnimationFrame(look);
        };
        look();
      });
      Object.assign(globalThis, { echoed });
    };
    await this.page.evaluate(watch, character);
    await this.page.keyboard.type(character);
    return this.page.evaluate(() => (globalThis as unknown as { echoed: Promise<number> }).echoed);
  }

  /** The file of the conversation that the daemon saved last. */
  lastSaved(): string {
    const folder = join(this.state, "home/.local/share/oi-daemon/conversations");
    const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
    const files = names.map((name) => join(folder, name));
    const last = files.toSorted((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs).at(-1);
    return readFileSync(last as string, "utf8");
  }

  /** The drafts that the extension has saved, of all conversations. */
  drafts(): string {
    const folder = join(this.state, "user/User/globalStorage/oi-daemon.open-interpreter/drafts");
    const names = existsSync(folder) ? readdirSync(folder) : [];
    return names.map((name) => readFileSync(join(folder, name), "utf8")).join("\n");
  }

  notification(text: string): Locator {
    return this.page.locator(".notification-toast", { hasText: text });
  }

  async shot(name: string): Promise<void> {
    mkdirSync(SHOTS, { recursive: true });
    await this.page.screenshot({ path: join(SHOTS, `${name}.png`) });
  }

  async close(): Promise<void> {
    await this.context.close();
    const started = this.processes(""); // they write into the folder until they end
    const gone = new Promise((resolve) => this.server.once("exit", resolve));
    if (this.server.kill()) await gone;
    const latest = Date.now() + LATEST;
    while (started.some(isAlive) && Date.now() < latest) await setTimeout(20);
    rmSync(this.state, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function browse(state: string): Promise<BrowserContext> {
  const context = await chromium.launchPersistentContext(join(state, "chromium"), {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    viewport: { width: 1280, height: 900 },
    args: [
      ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"],
      ...["--disable-background-networking", "--disable-component-update"],
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    ],
  });
  await context.route(
    (url) => /^https?:$/.test(url.protocol) && url.hostname !== "127.0.0.1" && url.hostname !== "localhost",
    (route) => route.abort(),
  );
  return context;
}

async function retry(work: (again: boolean) => Promise<void>, times = 20): Promise<void> {
  for (let left = times; ; left--) {
    try {
      return await work(left < times);
    } catch (error) {
      if (left <= 1) throw error;
    }
  }
}

/** Whether the process has not ended. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
