/** Names of languages: the daemon's, and the editor's. */

import { LANGUAGES, type Language } from "./languageTable";

/** The id under which the editor shows code of a language. */
export function toEditor(name: string): string {
  if (LANGUAGES.some(({ ids }) => ids.includes(name))) return name;
  return LANGUAGES.find((language) => isCalled(language, name))?.ids[0] ?? (name || "plaintext");
}

/** The daemon's name for the language of an id. */
export function toDaemon(id: string): string {
  if (LANGUAGES.some((language) => isCalled(language, id))) return id;
  return LANGUAGES.find(({ ids }) => ids.includes(id))?.name ?? id;
}

function isCalled({ name, aliases }: Language, called: string): boolean {
  return name === called || aliases.includes(called);
}
