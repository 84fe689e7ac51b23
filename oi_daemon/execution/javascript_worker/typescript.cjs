// Turns TypeScript into JavaScript, where this version of Node.js can, and knows the original lines.
'use strict';

const nodeModule = require('node:module');
const { parse } = require('./parser.cjs');

const { Buffer, JSON, Map, RegExp } = globalThis; // constants, because a block may redefine the globals

const MAP = /\n*\/\/# sourceMappingURL=data:[^,]*,(\S*)\s*$/;

const maps = new Map(); // source maps of blocks whose lines have moved, by file name

/** Return the code with its types replaced by spaces, so that every line stays where it is. */
function stripped(code) {
  return nodeModule.stripTypeScriptTypes(code);
}

/** Return the code as JavaScript where removing types is not enough: with enums, for instance. */
function transformed(code, file) {
  const made = nodeModule.stripTypeScriptTypes(code, { mode: 'transform', sourceMap: true });
  const payload = JSON.parse(Buffer.from(MAP.exec(made)[1], 'base64').toString());
  maps.set(file, new nodeModule.SourceMap(payload));
  return made.replace(MAP, '');
}

/** Return the line in the block's own code, from a line and column in the code that runs. */
function originalLine(file, line, column) {
  const entry = maps.get(file)?.findEntry(line - 1, column);
  return entry?.originalLine === undefined ? line : entry.originalLine + 1;
}

const DECLARATION = new RegExp(
  '^\\s*(export\\s+)?(declare\\s+)?(interface\\s+[\\w$]+[^({;]*\\{|type\\s+[\\w$]+(<[^>]*>)?\\s*=|enum\\s+[\\w$]+\\s*\\{' +
  '|namespace\\s+[\\w$.]+\\s*\\{|abstract\\s+class\\s|import\\s+type\\s)', 'm');
const TYPE = '(string|number|boolean|any|void|unknown|never|object|bigint|symbol|null|undefined|[A-Z][\\w$.]*)' +
  '(<[^<>;]*(<[^<>;]*>[^<>;]*)*>)?(\\[\\])*';
const ANNOTATION = new RegExp(`(\\?? *: *|as +|implements +)${TYPE}( *[|&] *${TYPE})*|as +const`, 'y');
const PATIENCE = 100; // how many annotations are removed

/** Return true if the code is no JavaScript, but would be without TypeScript's types. */
function isTyped(code) {
  if (DECLARATION.test(code)) return true;
  for (let tries = 0; tries < PATIENCE; tries += 1) {
    try {
      parse(code);
      return tries > 0;
    } catch ({ pos }) {
      ANNOTATION.lastIndex = pos;
      const [annotation] = ANNOTATION.exec(code) ?? [''];
      if (!annotation) return false;
      code = code.slice(0, pos) + ' '.repeat(annotation.length) + code.slice(pos + annotation.length);
    }
  }
  return false;
}

module.exports = { stripped, transformed, originalLine, isTyped };
