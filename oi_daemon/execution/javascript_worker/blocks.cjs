// Runs blocks in the global scope, so that variables stay from block to block.
'use strict';

const { EventEmitter } = require('node:events');
const inspector = require('node:inspector');
const { stripTypeScriptTypes } = require('node:module');
const { inspect, types: { isNativeError } } = require('node:util');
const { RUNNING, STOPPED, DETACHED, NEVER } = require('./state.cjs');
const { prepare } = require('./source.cjs');
const { originalLine, isTyped } = require('./typescript.cjs');

const { Atomics, Buffer, Date, Error, Number, Promise, process } = globalThis; // a block may redefine these

const TYPESCRIPT_HINT = stripTypeScriptTypes
  ? ''
  : `\nIf this is TypeScript: Node.js 22.13 and later run it, this is ${process.version}.`;
const DETACH_TIMEOUT = 200; // milliseconds to wait for the watcher to close its inspector session
const CHECK = 5; // milliseconds between two looks whether it has
const INTERRUPTED = 'Interrupted';
const LAST_COLUMN = 1 << 30; // greater than any column, so that a whole line is looked up
const LONGEST = 100000; // most characters of an error that the daemon gets as data
const DISPLAY = Symbol.for('Jupyter.display');

class Blocks {
  constructor(watcher, output, pending) {
    this.current = 0; // the number of the block that runs; 0 between blocks
    this._watcher = watcher;
    this._output = output;
    this._pending = pending;
    this._stopped = new Set(); // the numbers of interrupted blocks
    this._exited = 0; // the number of the last block that has called `process.exit`
    this._ending = 0; // the number of the last block whose end is being marked, or has been
    this._lines = 0; // how many lines all blocks so far have
    this._session = new inspector.Session();
    this._session.connect();
  }

  /** Run a block until it has ended or thrown, and nothing that it started is pending (as a script does). */
  async run(block, code) {
    const first = this._lines;
    this._lines += code.split('\n').length;
    this.current = block;
    this._output.begin(`block${block}.js`, first);
    this._pending.begin();
    Atomics.store(this._output.state, RUNNING, block);
    const failure = await this._evaluate(prepare(code, first, this._output.file));
    // What is left of a block goes on after `stop` has ended it, perhaps while another block runs.
    const stopped = () => this.current !== block || Atomics.load(this._output.state, STOPPED) === block;
    if (failure && !stopped()) await this._reportFailure(failure, this._output.file, code);
    await this._pending.wait(stopped);
    if (!stopped()) this._end(block); // a stopped block is ended by `stop`, when the watcher asks for it
  }

  /** End an interrupted block; called when none of its code is on the stack. */
  stop(block) {
    if (this.current === block) {
      this._stopped.add(block);
      this._pending.clear();
      const silent = this._exited === block || this._ending === block;
      if (!silent) this._output.write(Buffer.from(`${INTERRUPTED}\n`));
      this._end(block);
    }
    this._watcher.postMessage('received');
  }

  /**
   * End the block that runs as `process.exit` ends a script: nothing of it goes on, and what it has opened is
   * closed, but its variables are kept. Never returns: the watcher terminates what runs.
   */
  exit(code) {
    this._exited = this.current;
    this._pending.close();
    if (code) this._output.write(Buffer.from(`Exited with code ${code}\n`));
    this._output.exit(Number(code) & 0xff);
    this._watcher.postMessage('exit');
    for (;;) Atomics.wait(this._output.state, NEVER, 0, 1);
  }

  /** Have the watcher close its inspector session; Node.js would wait for that at its end. */
  detach() {
    const { state } = this._output;
    this._watcher.postMessage('detach');
    const end = Date.now() + DETACH_TIMEOUT;
    // The loop's end is where this thread notices what the watcher has sent.
    while (Atomics.load(state, DETACHED) === 0 && Date.now() < end) Atomics.wait(state, DETACHED, 0, CHECK);
  }

  /** Return the value of an `await`; throw if its block has been stopped meanwhile. */
  after(block, value) {
    if (this._stopped.has(block)) throw new Error(INTERRUPTED);
    return value;
  }

  /** Write an error as Node.js does, without the worker's frames. `place` is added if the text names no line. */
  report(error, prefix, place) {
    const message = attempt(() => `${error.message}`);
    if (message === INTERRUPTED && this._stopped.size > 0) return;
    const text = attempt(() => inspect(error)) ?? 'an error that cannot be shown';
    const missing = place && !text.includes(`${this._output.file}:`);
    const told = isNativeError(error) ? [attempt(() => `${error.name}`), message] : [undefined, text];
    this._tell(`${prefix}${text}${missing ? `\n    at ${place}` : ''}`, ...told);
  }

  /** Write the text of an error; the daemon gets it as data as well if a block runs. */
  _tell(text, name = 'Error', message = '') {
    this._output.write(Buffer.from(`${text}\n`));
    if (!this.current) return;
    const traceback = text.slice(0, LONGEST).split('\n');
    this._output.send({ error: { name, message: message.slice(0, LONGEST), traceback } });
  }

  /** Mark the block's end. If that is terminated, the watcher has `stop` do it again: the daemon takes the first. */
  _end(block) {
    this._ending = block;
    this._output.end(block);
    this.current = 0;
    Atomics.store(this._output.state, RUNNING, 0);
  }

  /** Evaluate a prepared block and show its value; return the inspector's details of what it threw, if it did. */
  async _evaluate(source) {
    const { __oi: scope } = globalThis;
    scope.value = scope.returned = scope.left = undefined;
    const result = await this._post('Runtime.evaluate', {
      expression: `${source}\n//# sourceURL=${this._output.file}`,
      replMode: true,
      awaitPromise: true,
      objectGroup: 'oi',
    });
    if (scope.left) return undefined; // by a `return` at the top, which throws
    if (!result.exceptionDetails) this._show(scope);
    return result.exceptionDetails;
  }

  /** Report what the evaluation threw, which may be any value. */
  async _reportFailure({ exception, lineNumber }, file, code) {
    if (exception?.className === 'SyntaxError' && !exception.description.includes(`${file}:`)) {
      const [message] = exception.description.split('\n');
      const hint = TYPESCRIPT_HINT && isTyped(code) ? TYPESCRIPT_HINT : '';
      this._output.line(lineNumber + 1);
      const name = 'SyntaxError';
      const text = `Uncaught ${message}\n    at ${file}:${lineNumber + 1}${hint}`;
      this._tell(text, name, message.replace(`${name}: `, ''));
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

  /** Call a method of the inspector; return its result, or its error as if the code had thrown it. */
  _post(method, parameters) {
    return new Promise((resolve) =>
      this._session.post(method, parameters, (error, result) =>
        resolve(error ? { exceptionDetails: { exception: { type: 'string', value: error.message } } } : result)));
  }

  /** Show the value of the block's last expression; `returned` is that value if the expression is a call. */
  _show({ value, returned }) {
    // The values of `setTimeout(...)` and `server.listen(...)` are not worth showing.
    if (returned instanceof EventEmitter || this._pending.has(returned)) return;
    if (value === undefined) value = returned;
    if (value === undefined) return;
    const display = value !== null && typeof value === 'object' && value[DISPLAY];
    if (typeof display === 'function') this._output.send({ display: display.call(value) });
    else this._output.write(Buffer.from(`${inspect(value)}\n`));
  }
}

const CALLER = /^node:inspector|javascript_worker.blocks/; // the files that call a block
const WORKER = /javascript_worker/;

/** Make stack traces that end at the block, and have no frames of the worker. */
Error.prepareStackTrace = (error, frames) => {
  const caller = frames.findIndex((frame) => CALLER.test(frame.getFileName()));
  const inner = caller < 0 ? frames : frames.slice(0, caller);
  const own = inner.filter((frame) => !WORKER.test(frame.getFileName()));
  const lines = own.map((frame) => `\n    at ${frame}`.replace(/(block\d+\.js):(\d+):\d+/, place));
  return `${heading(error)}${lines.join('')}`;
};

/** Return what the function returns; undefined if it throws, as a getter of an error may. */
function attempt(compute) {
  try {
    return compute();
  } catch {
    return undefined;
  }
}

/** Return a place as a line of the block's own code, without the column, which `prepare` has changed. */
function place(_, file, line) {
  return `${file}:${originalLine(file, Number(line), LAST_COLUMN)}`;
}

/** Return an error's first line. Node's own errors give their code, in the name or by a `toString`. */
function heading(error) {
  const plain = !(error instanceof Error) || /\[/.test(error.name);
  return plain ? Error.prototype.toString.call(error) : `${error}`;
}

/** Return an object of the inspector's protocol as an argument of a further call. */
function argument({ objectId, unserializableValue, value }) {
  if (objectId) return { objectId };
  return unserializableValue ? { unserializableValue } : { value };
}

module.exports = { Blocks };
