// Turns TypeScript into JavaScript, where this version of Node.js can, and knows the original lines.
'use strict';

const nodeModule = require('node:module');

const { Buffer, JSON, Map } = globalThis; // constants, because a block may redefine the globals

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

module.exports = { stripped, transformed, originalLine };
