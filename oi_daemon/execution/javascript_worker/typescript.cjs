// TypeScript made JavaScript, where this Node.js can; and the lines that its code had.
'use strict';

const nodeModule = require('node:module');

const { Buffer, JSON, Map } = globalThis; // whatever a block calls so

const MAP = /\n*\/\/# sourceMappingURL=data:[^,]*,(\S*)\s*$/;

const maps = new Map(); // of blocks whose JavaScript stands on other lines, by file

/** Without its types, each line where it was. */
function stripped(code) {
  return nodeModule.stripTypeScriptTypes(code);
}

/** Also what is more than types: enums, namespaces, parameters that are properties. */
function transformed(code, file) {
  const made = nodeModule.stripTypeScriptTypes(code, { mode: 'transform', sourceMap: true });
  const payload = JSON.parse(Buffer.from(MAP.exec(made)[1], 'base64').toString());
  maps.set(file, new nodeModule.SourceMap(payload));
  return made.replace(MAP, '');
}

/** The line of the block's own code, from a place in what runs. */
function originalLine(file, line, column) {
  const entry = maps.get(file)?.findEntry(line - 1, column);
  return entry?.originalLine === undefined ? line : entry.originalLine + 1;
}

module.exports = { stripped, transformed, originalLine };
