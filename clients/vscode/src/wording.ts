/** The daemon's words for remedies, which are the terminal's, in the editor's. Pure. */

const WORDS: readonly (readonly [RegExp, string])[] = [
  [/set OPENAI_API_KEY, or the setting api_key \([^)]*\), to a key from/, "use Set API Key with a key from"],
  [/Check OPENAI_API_KEY or the setting api_key \([^)]*\)/, "Use Set API Key"],
  [/\(OPENAI_API_KEY or the setting api_key\)/, "(Set API Key)"],
  [/with `interpreter --model NAME`, or for good with the setting model \([^)]*\)/, "with Choose Model"],
  [/with the setting model\b/g, "with Choose Model"],
  [/without any key: `interpreter --local`/, "without any key, by the setting `oi.local`"],
  [/`interpreter --local` (runs|needs)/g, "the setting `oi.local` $1"],
  [/`interpreter --local`/g, "the setting `oi.local`"],
  [/ \(`interpreter --[^)]*`\)/g, ""],
  [/\(`%reset`\)/g, "(New Conversation)"],
  [/\bsay `continue`/gi, "press Retry"],
];
/** Settings that errors name. */
const SETTINGS =
  /(?<![\w.])(?:api_base|max_output|context_window|max_tokens|max_budget|max_rounds|max_seconds|max_memory|conversation_history_path|tool_style)(?!\w)/g;

export function inEditorsWords(text: string): string {
  const worded = WORDS.reduce((before, [from, to]) => before.replace(from, to), text);
  return worded.replaceAll(SETTINGS, (name) => `\`oi.${camel(name)}\``);
}

function camel(name: string): string {
  return name.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}
