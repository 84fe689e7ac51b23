// Runs blocks in the global scope, which keeps its state between them.
'use strict';

const { EventEmitter } = require('node:events');
const inspector = require('node:inspector');
const { stripTypeScriptTypes } = require('node:module');
const { inspect } = require('node:util');
const { RUNNING, STOPPED, LEFT } = require('./state.cjs');
const { prepare } = require('./source.cjs');
const { originalLine } = require('./typescript.cjs');

const { Atomics, Buffer, Error, Number, Promise, process } = globalThis; // whatever a block calls so

const TYPES = stripTypeScriptTypes
  ? ''
  : `If this is TypeScript: Node.js 22.13 and later run it, this is ${process.version}.\n`;
const GRACE = 200; // milliseconds
const INTERRUPTED = 'Interrupted';
const WHOLE = 1 << 30; // the column behind any other
const DISPLAY = Symbol.for('Jupyter.display');

class Blocks {
  constructor(watcher, output, pending) {
    this.current = 0;
    this._watcher = watcher;
    this._output = output;
    this._pending = pending;
    this._stopped = new Set();
    this._lines = 0; // of all blocks so far
    this._session = new inspector.Session();
    this._session.connect();
  }

  /** Run it to its end, whatever that is. A script ends when nothing of it is under way; so does a block. */
  async run(block, code) {
    const first = this._lines;
    this._lines += code.split('\n').length;
    this.current = block;
    this._output.begin(`block${block}.js`, first);
    this._pending.begin();
    Atomics.store(this._output.state, RUNNING, block);
    const failure = await this._evaluate(prepare(code, first, this._output.file));
    const stopped = () => Atomics.load(this._output.state, STOPPED) === block;
    if (failure && !stopped()) await this._tell(failure, this._output.file);
    await this._pending.none(stopped);
    if (!stopped()) this._end(block); // else the watcher says when
  }

  /** It was interrupted, and nothing of it is on the stack. */
  stop(block) {
    if (this.current === block) {
      this._stopped.add(block);
      this._pending.clear();
      this._output.write(Buffer.from(`${INTERRUPTED}\n`));
      this._end(block);
    }
    this._watcher.postMessage('heard');
  }

  /** Let go of the inspector: Node.js ends at once. */
  leave() {
    const { state } = this._output;
    this._watcher.postMessage('leave');
    Atomics.wait(state, LEFT, 0, GRACE);
  }

  /** The value of an `await`, unless its block has been stopped meanwhile. */
  after(block, value) {
    if (this._stopped.has(block)) throw new Error(INTERRUPTED);
    return value;
  }

  /** Write an error as Node.js does, without the frames that are not the user's; and with its `place`, if it says none. */
  report(error, prefix, place) {
    if (error?.message === INTERRUPTED && this._stopped.size > 0) return;
    const told = inspect(error);
    const missing = place && !told.includes(`${this._output.file}:`);
    this._output.write(Buffer.from(`${prefix}${told}${missing ? `\n    at ${place}` : ''}\n`));
  }

  _end(block) {
    this.current = 0;
    Atomics.store(this._output.state, RUNNING, 0);
    this._output.end(block);
  }

  /** Show its value, or return what it threw. */
  async _evaluate(source) {
    const { __oi: scope } = globalThis;
    scope.value = scope.returned = undefined;
    const result = await this._post('Runtime.evaluate', {
      expression: `${source}\n//# sourceURL=${this._output.file}`,
      replMode: true,
      awaitPromise: true,
      objectGroup: 'oi',
    });
    if (!result.exceptionDetails) this._show(scope);
    return result.exceptionDetails;
  }

  /** What the evaluation threw, which may be anything. */
  async _tell({ exception, lineNumber }, file) {
    if (exception?.className === 'SyntaxError' && !exception.description.includes(`${file}:`)) {
      const [message] = exception.description.split('\n');
      this._output.line(lineNumber + 1);
      this._output.write(Buffer.from(`Uncaught ${message}\n    at ${file}:${lineNumber + 1}\n${TYPES}`));
      return;
    }
    const { result } = await this._post('Runtime.evaluate', { expression: '__oi.report', objectGroup: 'oi' });
    await this._post('Runtime.callFunctionOn', {
      objectId: result.objectId,
      functionDeclaration: 'function (error) { this(error); }',
      arguments: [argument(exception)],
    });
    this._session.post('Runtime.releaseObjectGroup', { objectGroup: 'oi' });
  }

  _post(method, parameters) {
    return new Promise((resolve) =>
      this._session.post(method, parameters, (error, result) =>
        resolve(error ? { exceptionDetails: { exception: { type: 'string', value: error.message } } } : result)));
  }

  _show({ value, returned }) {
    if (returned instanceof EventEmitter || this._pending.has(returned)) return; // `setTimeout(...)`, `server.listen(...)`
    if (value === undefined) value = returned;
    if (value === undefined) return;
    const display = value !== null && typeof value === 'object' && value[DISPLAY];
    if (typeof display === 'function') this._output.notice({ display: display.call(value) });
    else this._output.write(Buffer.from(`${inspect(value)}\n`));
  }
}

const CALLER = /^node:inspector|javascript_worker.blocks/;
const OURS = /javascript_worker/;

/** Stack traces end where the block was called. */
Error.prepareStackTrace = (error, frames) => {
  const caller = frames.findIndex((frame) => CALLER.test(frame.getFileName()));
  const below = caller < 0 ? frames : frames.slice(0, caller);
  const own = below.filter((frame) => !OURS.test(frame.getFileName()));
  const lines = own.map((frame) => `\n    at ${frame}`.replace(/(block\d+\.js):(\d+):\d+/, place));
  return `${heading(error)}${lines.join('')}`;
};

/** Columns are not told: text was inserted before them. */
function place(_, file, line) {
  return `${file}:${originalLine(file, Number(line), WHOLE)}`;
}

/** Node's own errors say their code, in their name or by a `toString`. */
function heading(error) {
  const plain = !(error instanceof Error) || /\[/.test(error.name);
  return plain ? Error.prototype.toString.call(error) : `${error}`;
}

/** A protocol's value as an argument of another call. */
function argument({ objectId, unserializableValue, value }) {
  if (objectId) return { objectId };
  return unserializableValue ? { unserializableValue } : { value };
}

module.exports = { Blocks };
