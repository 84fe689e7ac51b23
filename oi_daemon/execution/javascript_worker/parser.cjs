// Parses JavaScript with everything that a block may have: `await`, `import`, `export` and `return` at its top.
'use strict';

const acorn = require('./vendor/acorn/acorn.js');

const OPTIONS = {
  ecmaVersion: 'latest',
  allowAwaitOutsideFunction: true,
  allowImportExportEverywhere: true,
  allowReturnOutsideFunction: true,
  allowHashBang: true,
  locations: true,
};

/** Return the syntax tree; throw a SyntaxError with its position, `pos`. */
function parse(code) {
  return acorn.parse(code, OPTIONS);
}

module.exports = { parse };
