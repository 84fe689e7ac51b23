// The watcher's part of lookups: finds the path at a place in code, and has the main thread read its value.
'use strict';

const STEP = /\s*\??\.\s*[\p{ID_Start}$_][\p{ID_Continue}$]*|\[\s*(?:\d{1,9}|'[^'\\\n]*'|"[^"\\\n]*")\s*\]/u;
const PATH = new RegExp(String.raw`(?<![\p{ID_Continue}$.\])'"])([\p{ID_Start}$_][\p{ID_Continue}$]*(?:${STEP.source})*)$`, 'u');
const MEMBER = /\??\.\s*([\p{ID_Continue}$]*)$/u;
const WORD = /(?<![\p{ID_Continue}$.])([\p{ID_Start}$_][\p{ID_Continue}$]*)?$/u;
const KEYWORDS = (
  'async await break case catch class const continue debugger default delete do else export extends false finally for '
  + 'function if import in instanceof let new null return static super switch this throw true try typeof undefined var '
  + 'void while yield'
).split(' ');
const OWN = /^__oi/; // names of the worker's own

class Questions {
  /** `session` is an inspector session that is connected to the main thread. */
  constructor(session) {
    this._session = session;
  }

  /** Return the answer to a lookup as JSON. */
  async answer(kind, code, position, limit) {
    const characters = [...code];
    const before = characters.slice(0, position).join('');
    if (kind === 'variables') return this._read('variables', String(limit));
    if (kind === 'complete') return this._completions(before, position, limit);
    const word = /^[\p{ID_Continue}$]*/u.exec(characters.slice(position).join(''))[0];
    return this._description(`${before}${word}`);
  }

  async _completions(before, position, limit) {
    const member = MEMBER.exec(before);
    const word = WORD.exec(before);
    const beginning = (member ?? word)?.[1] ?? '';
    const path = member ? pathOf(before.slice(0, member.index)) : [];
    let found = {};
    if (member ? path : word) found = JSON.parse(await this._read('members', JSON.stringify(path)));
    if (!member && word) for (const keyword of KEYWORDS) found[keyword] ??= 'keyword';
    const names = Object.keys(found)
      .filter((name) => name.startsWith(beginning) && name !== beginning && isName(name) && !OWN.test(name))
      .sort((a, b) => a.startsWith('_') - b.startsWith('_') || (a < b ? -1 : 1))
      .slice(0, limit);
    const start = position - [...beginning].length;
    return JSON.stringify({ matches: names, kinds: names.map((name) => found[name]), start, end: position });
  }

  async _description(before) {
    const path = pathOf(before) ?? pathOf(calledBefore(before));
    const text = path ? JSON.parse(await this._read('describe', JSON.stringify(path))) : '';
    const data = text ? { 'text/plain': text, 'text/markdown': `\`\`\`javascript\n${text}\n\`\`\`` } : {};
    return JSON.stringify({ data });
  }

  /** Call a method of the main thread's `Lookups`, and return the JSON that it gives. */
  async _read(method, argument) {
    const { names } = await this._post('Runtime.globalLexicalScopeNames', {});
    const declared = names.filter((name) => !OWN.test(name)).map((name) => `${name}: () => ${name}`);
    const expression = `__oi.lookups.${method}({ __proto__: null, ${declared.join(', ')} }, ${argument})`;
    const { result } = await this._post('Runtime.evaluate', { expression, returnByValue: true, silent: true });
    return result.value;
  }

  _post(method, parameters) {
    return new Promise((resolve, reject) =>
      this._session.post(method, parameters, (error, result) => (error ? reject(error) : resolve(result))));
  }
}

/** Return the names of a path that ends here, as in `['a', 'b', '0']`; null if there is none. */
function pathOf(before) {
  const found = PATH.exec(before);
  if (!found) return null;
  const steps = found[1].match(new RegExp(STEP.source, 'gu')) ?? [];
  const root = found[1].slice(0, found[1].length - steps.join('').length);
  return [root, ...steps.map((step) => step.replace(/^\s*\??\.\s*|^\[\s*['"]?|['"]?\s*\]$/g, ''))];
}

/** Return the code before the innermost bracket that is open; empty if none is. */
function calledBefore(before) {
  let depth = 0;
  for (let i = before.length - 1; i >= 0; i -= 1) {
    if (')]}'.includes(before[i])) depth += 1;
    if ('([{'.includes(before[i]) && --depth < 0) return before[i] === '(' ? before.slice(0, i) : '';
  }
  return '';
}

function isName(text) {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(text);
}

module.exports = { Questions };
