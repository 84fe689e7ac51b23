// A block's source made ready: each statement tells its line, `import` works, and the last value shows.
//
// Text is only inserted, never moved to another line, so that errors name the block's own lines.
'use strict';

const { originalLine, stripped, transformed } = require('./typescript.cjs');

let acorn;
try {
  acorn = require('internal/deps/acorn/acorn/dist/acorn');
} catch {
  // A Node.js without it: code runs all the same, without active lines.
}

const OPTIONS = {
  ecmaVersion: 'latest',
  allowAwaitOutsideFunction: true,
  allowImportExportEverywhere: true,
  allowHashBang: true,
  locations: true,
};

const WRITES = /^process\.(stdout|stderr)\.write\([^]*\)$/;

/** What a block may be. An object is one in Node's console too, though a script has a block there. */
const READINGS = [
  (code) => (/^\s*\{[^]*\}\s*$/.test(code) ? `(${code})` : code),
  (code) => code,
  stripped,
  transformed,
];

/** The source to evaluate, for a block in `file` whose lines are numbered from `first` + 1 on. */
function prepare(code, first, file) {
  for (const read of acorn ? READINGS : []) {
    try {
      const source = read(code, file);
      return new Source(source, first, file).prepare(acorn.parse(source, OPTIONS));
    } catch {
      // Not that; or a Node.js that knows no TypeScript.
    }
  }
  return `__oi.line(1);${code}`; // V8 says what is wrong with it, or knows better
}

class Source {
  constructor(code, first, file) {
    this._code = code;
    this._first = first;
    this._file = file;
    this._edits = [];
    this._line = 0; // of the statement around, among those of all blocks
  }

  prepare(tree) {
    const last = tree.body.at(-1);
    for (const statement of tree.body) {
      const line = this._lineOf(statement);
      if (!statement.directive) this._insert(statement.start, `${this._slot(statement)}__oi.line(${line});`);
      const shown = statement === last && statement.type === 'ExpressionStatement';
      if (shown && statement.directive !== 'use strict') this._show(statement.expression);
      else this._walk(statement);
    }
    return this._edited();
  }

  /** Its value is kept, and awaited: `main()` as the last line is the block's work. */
  _show(expression) {
    this._wrap(expression, `__oi.${this._slotOf(expression)}=await (`, () => this._calls(expression));
  }

  _slotOf({ type, start, end }) {
    const quiet = type === 'AssignmentExpression' || WRITES.test(this._code.slice(start, end));
    if (quiet) return 'kept';
    return /Call|New|Chain/.test(type) ? 'returned' : 'value';
  }

  _insert(at, text) {
    this._edits.push({ at, text, to: at, order: 1 });
  }

  _insertAfter(at, text) {
    this._edits.push({ at, text, to: at, order: 0 });
  }

  _replace({ start, end }, text) {
    this._edits.push({ at: start, text, to: end, order: 1 });
  }

  _edited() {
    this._edits.sort((a, b) => a.at - b.at || a.order - b.order);
    let edited = '';
    let position = 0;
    for (const { at, text, to } of this._edits) {
      edited += this._code.slice(position, at) + text;
      position = to;
    }
    return edited + this._code.slice(position);
  }

  _walk(node) {
    const line = this._line;
    const visit = this[node.type];
    if (visit) visit.call(this, node);
    else this._children(node);
    this._line = line;
  }

  _children(node) {
    for (const value of Object.values(node)) {
      if (Array.isArray(value)) value.forEach((item) => item?.type && this._walk(item));
      else if (typeof value?.type === 'string') this._walk(value);
    }
  }

  _lineOf({ loc: { start } }) {
    return originalLine(this._file, start.line, start.column);
  }

  _slot(node) {
    this._line = this._lineOf(node) + this._first;
    return `__oi_lines[0]=${this._line};`;
  }

  _statements(statements) {
    for (const node of statements) {
      if (!node.directive && node.type !== 'FunctionDeclaration') this._insert(node.start, this._slot(node));
      this._walk(node);
    }
  }

  /** What a loop or a condition runs: one statement, made a block so that there is room for two. */
  _body(node) {
    if (node.type === 'BlockStatement' || node.type === 'EmptyStatement') return this._walk(node);
    this._insert(node.start, `{${this._slot(node)}`);
    this._walk(node);
    this._insertAfter(node.end, '}');
  }

  BlockStatement(node) {
    this._statements(node.body);
  }

  StaticBlock(node) {
    this._statements(node.body);
  }

  SwitchCase(node) {
    if (node.test) this._walk(node.test);
    this._statements(node.consequent);
  }

  ArrowFunctionExpression(node) {
    node.params.forEach((parameter) => this._walk(parameter));
    if (!node.expression) return this._walk(node.body);
    this._wrap(node.body, `(${this._slot(node.body).slice(0, -1)},`, () => this._calls(node.body));
  }

  IfStatement(node) {
    this._walk(node.test);
    this._body(node.consequent);
    if (node.alternate?.type === 'IfStatement') this._walk(node.alternate);
    else if (node.alternate) this._body(node.alternate);
  }

  ForStatement(node) {
    for (const part of [node.init, node.test, node.update]) if (part) this._walk(part);
    this._body(node.body);
  }

  ForInStatement(node) {
    this._walk(node.left);
    this._walk(node.right);
    this._body(node.body);
  }

  ForOfStatement(node) {
    this.ForInStatement(node);
  }

  WhileStatement(node) {
    this._walk(node.test);
    this._body(node.body);
  }

  DoWhileStatement(node) {
    this.WhileStatement(node);
  }

  /** After an interrupt, nothing goes on behind the `await` in which it was. */
  AwaitExpression(node) {
    this._wrap(node, `__oi.after(__oi.block,${this._line},`, () => this._calls(node.argument));
  }

  ExpressionStatement(node) {
    this._calls(node.expression);
  }

  ReturnStatement(node) {
    if (node.argument) this._calls(node.argument);
  }

  /** It may have run other lines; what is left of its statement runs in this one again. */
  CallExpression(node) {
    this._wrap(node, `__oi_at(${this._line},`, () => this._children(node));
  }

  NewExpression(node) {
    this.CallExpression(node);
  }

  TaggedTemplateExpression(node) {
    this.CallExpression(node);
  }

  /** `a?.b()`: whole, since it may end anywhere in it. */
  ChainExpression(node) {
    this._wrap(node, `__oi_at(${this._line},`, () => this._links(node.expression));
  }

  _links(node) {
    if (node.type === 'CallExpression') node.arguments.forEach((argument) => this._walk(argument));
    else if (node.type !== 'MemberExpression') return this._walk(node);
    else if (node.computed) this._walk(node.property);
    this._links(node.callee ?? node.object);
  }

  /** A call that is the last thing that its statement does. */
  _calls(node) {
    if (node.type === 'CallExpression' || node.type === 'NewExpression') this._children(node);
    else this._walk(node);
  }

  _wrap(node, opening, walk) {
    this._insert(node.start, opening);
    walk();
    this._insertAfter(node.end, ')');
  }

  ImportExpression(node) {
    this._replace({ start: node.start, end: node.start + 'import'.length }, '__oi.import');
    this._walk(node.source);
  }

  ImportDeclaration(node) {
    const whole = node.specifiers.find(({ type }) => type === 'ImportNamespaceSpecifier');
    const rest = node.specifiers.filter((specifier) => specifier !== whole);
    const names = rest.map(({ imported, local }) =>
      `${imported ? (imported.name ?? imported.raw) : 'default'}: ${local.name}`);
    const attributes = (node.attributes ?? []).map(({ key, value }) => `${key.name ?? key.raw}: ${value.raw}`);
    const module = `await __oi.import(${node.source.raw}, { with: {${attributes}} })`;
    let text = `${module};`;
    if (whole) text = `const ${whole.local.name} = ${module};`;
    if (whole && names.length > 0) text += `const {${names}} = ${whole.local.name};`;
    else if (names.length > 0) text = `const {${names}} = ${module};`;
    this._replace(node, text + '\n'.repeat(node.loc.end.line - node.loc.start.line));
  }

  /** There is nobody to export to; what is exported is declared all the same. */
  ExportNamedDeclaration(node) {
    if (!node.declaration) return this._replace(node, ';');
    this._replace({ start: node.start, end: node.declaration.start }, '');
    this._walk(node.declaration);
  }

  ExportDefaultDeclaration(node) {
    const { type, id } = node.declaration;
    const named = /Declaration$/.test(type) && id;
    this._replace({ start: node.start, end: node.declaration.start }, named ? '' : 'void ');
    this._walk(node.declaration);
  }

  MetaProperty(node) {
    if (node.meta.name === 'import') this._replace(node, '__oi.meta');
  }
}

module.exports = { prepare };
