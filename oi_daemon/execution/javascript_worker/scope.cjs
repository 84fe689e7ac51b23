// Globals for the user's code: `require`, `import`, `prompt`, and what `prepare` inserts calls of.
'use strict';

const { createRequire } = require('node:module');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const vm = require('node:vm');
const { Lookups } = require('./lookups.cjs');

/** Define the globals, as a script in the working folder has them. */
function install(blocks, input, output) {
  const lines = output.state;
  const file = path.join(process.cwd(), 'block.js');
  const main = { exports: {}, id: '.', filename: file, loaded: false, children: [], paths: [] };
  const require = createRequire(file);
  require.main = main;
  const load = new vm.Script('(name, options) => import(name, options)', {
    filename: file,
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  }).runInThisContext();
  Object.assign(globalThis, {
    require,
    module: main,
    exports: main.exports,
    prompt: (text, value) => input.prompt(text, value),
  });
  hide('__filename', file);
  hide('__dirname', process.cwd());
  hide('__oi', {
    lines,
    lookups: undefined,
    value: undefined,
    returned: undefined,
    kept: undefined,
    left: undefined,
    import: load,
    meta: { url: pathToFileURL(file).href, filename: file, dirname: process.cwd(), resolve: (name) => require.resolve(name) },
    line: (number) => output.line(number),
    get block() {
      return blocks.current;
    },
    at(line, value) {
      lines[0] = line;
      return value;
    },
    after(block, line, value) {
      lines[0] = line;
      return blocks.after(block, value);
    },
    report: (error) => blocks.report(error, 'Uncaught ', output.place),
  });
  // Reading a global constant is much faster than reading an object's property, which a hot loop shows.
  vm.runInThisContext('const __oi_lines = __oi.lines, __oi_at = __oi.at;');
  globalThis.__oi.lookups = new Lookups();
}

/** Define a global that `for (name in globalThis)` does not list. */
function hide(name, value) {
  Object.defineProperty(globalThis, name, { value, enumerable: false });
}

module.exports = { install };
