// The daemon's languages. Written by scripts/generate: do not edit.

export interface Language {
  readonly name: string;
  readonly aliases: readonly string[];
  /** Language ids of VS Code that mean it. The first is the one to show its code under. */
  readonly ids: readonly string[];
}

export const LANGUAGES: readonly Language[] = [
  { name: "python", aliases: ["py", "python3"], ids: ["python"] },
  { name: "shell", aliases: ["sh", "bash", "console"], ids: ["shellscript"] },
  { name: "zsh", aliases: [], ids: ["zsh"] },
  { name: "javascript", aliases: ["js", "node", "nodejs", "mjs", "cjs", "typescript", "ts"], ids: ["javascript", "javascriptreact", "typescript", "typescriptreact"] },
  { name: "r", aliases: ["rscript"], ids: ["r"] },
  { name: "powershell", aliases: ["pwsh", "ps1"], ids: ["powershell"] },
  { name: "applescript", aliases: ["osascript"], ids: ["applescript"] },
  { name: "html", aliases: ["htm"], ids: ["html"] },
];
