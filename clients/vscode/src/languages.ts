/** The daemon's names of languages, and the editor's. */

const EDITORS: Record<string, string> = { shell: "shellscript", "": "plaintext" };
const DAEMONS: Record<string, string> = { shellscript: "shell", javascriptreact: "javascript" };

export function toEditor(language: string): string {
  return EDITORS[language] ?? language;
}

export function toDaemon(languageId: string): string {
  return DAEMONS[languageId] ?? languageId;
}
