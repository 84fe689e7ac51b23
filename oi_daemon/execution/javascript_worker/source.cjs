// Prepares a block's source: each statement records its line, `import` works, and the value of the
// last expression is shown.
//
// Text is only inserted, and code never moves to another line, so that errors name the block's own lines.
'use strict';

const { parse } = require('./parser.cjs');
const { originalLine, stripped, transformed } = require('./typescript.cjs');

const WRITES = /^process\.(stdout|stderr)\.write\([^]*\)$/;
const CALLS = /[(`]|\b(await|yield|new)\b/;

/**
 * Ways to read a block, which are tried in this order. `{a: 1}` is read as an object, as in Node's
 * console, although it would be a block statement in a script.
 */
const READINGS = [
  (code) => (/^\s*\{[^]*\}\s*$/.test(code) ? `(${code})` : code),
  (code) => code,
  stripped,
  transformed,
];

/** Return the source to evaluate, for a block in `file` whose lines are numbered from `first` + 1 on. */
function prepare(code, first, file) {
  for (const read of READINGS) {
    try {
      const source = read(code, file);
      return new Source(source, first, file).prepare(parse(source));
    } catch {
      // It cannot be read this way, or this Node.js does not know TypeScript.
    }
  }
  return `__oi.line(1);${code}`; // V8 reports the error, or knows newer syntax than the parser
}

class Source {
  constructor(code, first, file) {
    this._code = code;
    this._first = first;
    this._file = file;
    this._edits = []; // insertions and replacements, in no order
    this._line = 0; // the line of the statement that is walked, numbered across all blocks
    this._depth = 0; // how many functions the walk is inside of
    this._returns = false; // whether the top-level statement that is walked has a `return` of the block
  }

  /** Return the edited source. A method with the name of a kind of node makes the edits for that kind. */
  prepare(tree) {
    const last = tree.body.at(-1);
    for (const statement of tree.body) {
      const line = this._lineOf(statement);
      if (!statement.directive) this._insert(statement.start, `${this._record(statement)}__oi.line(${line});`);
      this._returns = false;
      const shown = statement === last && statement.type === 'ExpressionStatement';
      if (shown && statement.directive !== 'use strict') this._show(statement.expression);
      else this._walk(statement);
      if (this._returns) this._endWithReturn(statement);
    }
    return this._edited();
  }

  /** Make the block end after this statement if it has left the statement by a `return`. */
  _endWithReturn({ start, end }) {
    this._edits.push({ at: start, text: '__oi_top:{', to: start, order: 0.5 });
    this._insertAfter(end, '}if(__oi.left)throw __oi.left;');
  }

  /** Assign the last expression's value to a property of `__oi`, and await it, since it may be `main()`. */
  _show(expression) {
    this._wrap(expression, `__oi.${this._property(expression)}=await (`, () => this._walkWithoutCall(expression));
  }

  /** Return the property for an expression's value: `value` is shown, `returned` often, `kept` never. */
  _property({ type, start, end }) {
    const quiet = type === 'AssignmentExpression' || WRITES.test(this._code.slice(start, end));
    if (quiet) return 'kept';
    return /Call|New|Chain/.test(type) ? 'returned' : 'value';
  }

  /** Insert text before the code at this position. */
  _insert(at, text) {
    this._edits.push({ at, text, to: at, order: 1 });
  }

  /** Insert text after the code that ends at this position. */
  _insertAfter(at, text) {
    this._edits.push({ at, text, to: at, order: 0 });
  }

  _replace({ start, end }, text) {
    this._edits.push({ at: start, text, to: end, order: 1 });
  }

  /** Return the code with all edits made. */
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

  /** Make the edits that this node and those inside it need. */
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

  /** Return the node's line in the block's own code. */
  _lineOf({ loc: { start } }) {
    return originalLine(this._file, start.line, start.column);
  }

  /** Return a statement that records the node's line as the one that runs. */
  _record(node) {
    this._line = this._lineOf(node) + this._first;
    return `__oi_lines[0]=${this._line};`;
  }

  /** Record the line before each of these statements. */
  _statements(statements) {
    for (const node of statements) {
      if (!node.directive && node.type !== 'FunctionDeclaration') this._insert(node.start, this._record(node));
      this._walk(node);
    }
  }

  /**
   * Record the line in the body of a loop or condition, with braces around a single statement. It has been
   * recorded already if that is on the same line, and what calls nothing needs no more.
   */
  _body(node) {
    if (node.type === 'BlockStatement' || node.type === 'EmptyStatement') return this._walk(node);
    const calls = node.type !== 'ExpressionStatement' || CALLS.test(this._code.slice(node.start, node.end));
    if (!calls && this._lineOf(node) + this._first === this._line) return this._walk(node);
    this._insert(node.start, `{${this._record(node)}`);
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

  FunctionDeclaration(node) {
    this._depth += 1;
    this._children(node);
    this._depth -= 1;
  }

  FunctionExpression(node) {
    this.FunctionDeclaration(node);
  }

  ArrowFunctionExpression(node) {
    this._depth += 1;
    this._arrow(node);
    this._depth -= 1;
  }

  _arrow(node) {
    node.params.forEach((parameter) => this._walk(parameter));
    if (!node.expression) return this._walk(node.body);
    this._wrap(node.body, `(${this._record(node.body).slice(0, -1)},`, () => this._walkWithoutCall(node.body));
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

  /** Throw after an `await` if the block was interrupted meanwhile, so that nothing of it goes on. */
  AwaitExpression(node) {
    this._wrap(node, `__oi.after(__oi.block,${this._line},`, () => this._walkWithoutCall(node.argument));
  }

  ExpressionStatement(node) {
    this._walkWithoutCall(node.expression);
  }

  ReturnStatement(node) {
    if (this._depth === 0) return this._leave(node);
    if (node.argument) this._walkWithoutCall(node.argument);
  }

  /** A `return` of the block leaves its statement; `_endWithReturn` goes on. As in a module, no value is shown. */
  _leave({ start, end, argument }) {
    this._returns = true;
    this._replace({ start, end: start + 'return'.length }, argument ? '{(' : '{');
    if (argument) this._walk(argument);
    const place = this._code[end - 1] === ';' ? end - 1 : end;
    this._insertAfter(place, `${argument ? ');' : ''}__oi.left=true;break __oi_top}`);
  }

  /** Record the line again after a call, which may have run other lines: its statement goes on here. */
  CallExpression(node) {
    this._wrap(node, `__oi_at(${this._line},`, () => this._children(node));
  }

  NewExpression(node) {
    this.CallExpression(node);
  }

  TaggedTemplateExpression(node) {
    this.CallExpression(node);
  }

  /** Record the line again after the whole of `a?.b()`, because it may end at any of its parts. */
  ChainExpression(node) {
    this._wrap(node, `__oi_at(${this._line},`, () => this._links(node.expression));
  }

  /** Walk the arguments and properties of a chain, without its calls. */
  _links(node) {
    if (node.type === 'CallExpression') node.arguments.forEach((argument) => this._walk(argument));
    else if (node.type !== 'MemberExpression') return this._walk(node);
    else if (node.computed) this._walk(node.property);
    this._links(node.callee ?? node.object);
  }

  /** Walk an expression that its statement ends with: after its last call, no line has to be recorded. */
  _walkWithoutCall(node) {
    if (node.type === 'CallExpression' || node.type === 'NewExpression') this._children(node);
    else this._walk(node);
  }

  /** Put `opening` before the node and a bracket after it; `walk` makes the edits inside. */
  _wrap(node, opening, walk) {
    this._insert(node.start, opening);
    walk();
    this._insertAfter(node.end, ')');
  }

  /** `import(...)` becomes a call of a function that imports as a file in the working folder does. */
  ImportExpression(node) {
    this._replace({ start: node.start, end: node.start + 'import'.length }, '__oi.import');
    this._walk(node.source);
  }

  /** `import a, { b } from 'c'` becomes constants, because a block is not a module. */
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

  /** `export` is removed, because a block is not a module; what it exports is declared. */
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
