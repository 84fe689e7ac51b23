// process.stdout and process.stderr of the user's code, and the marks between what they write.
'use strict';

const { Console } = require('node:console');
const childProcess = require('node:child_process');
const fs = require('node:fs');
const { syncBuiltinESMExports } = require('node:module');
const { Writable } = require('node:stream');
const { LINE, TOLD, FIRST, LOCK, FILLED, AT_ONCE, SIZE, flush, mark, writeAll } = require('./state.cjs');

const { Atomics, Buffer, Error, JSON, Object, process } = globalThis; // whatever a block calls so

const DEPTH = 40; // frames in which the line of a write is looked for

class Output {
  constructor(nonce, control) {
    this.state = new Int32Array(new SharedArrayBuffer(4 * SIZE));
    // Only in a flood does output wait here, for a tick of the watcher at most: a crash loses no last
    // words, and a flood costs no system call a line.
    this.buffer = Buffer.from(new SharedArrayBuffer(1 << 16));
    this.file = ''; // name of the block that runs, as in stack traces
    this._nonce = nonce;
    this._control = control;
    this._notices = 0;
    // Descriptors of its own: whatever the user's code does to 1 and 2, marks arrive.
    this._pipe = fs.openSync('/dev/fd/1', 'a');
  }

  install() {
    for (const [name, fd] of [['stdout', 1], ['stderr', 2]]) {
      const stream = new Stream(this, fd);
      Object.defineProperty(process, name, { configurable: true, enumerable: true, get: () => stream });
    }
    // Node's own tells each line to the inspector as well, at many times its cost.
    const console = new Console(process.stdout, process.stderr);
    globalThis.console = Object.assign(console, { Console });
    for (const name of ['spawn', 'spawnSync', 'exec', 'execSync', 'execFile', 'execFileSync', 'fork']) {
      const original = childProcess[name];
      const output = this;
      const started = function (...given) {
        output._reach(); // the child's output stands under this line
        output.flush();
        return original.apply(this, given);
      };
      childProcess[name] = Object.defineProperties(started, Object.getOwnPropertyDescriptors(original));
    }
    syncBuiltinESMExports();
  }

  begin(file, first) {
    this.file = file;
    const { state } = this;
    Atomics.store(state, LINE, 0);
    Atomics.store(state, TOLD, 0);
    Atomics.store(state, FIRST, first);
    Atomics.store(state, LOCK, 0); // an interrupt may have come while it was held
  }

  /** The block has ended: nothing after this is its output. */
  end(number) {
    this.file = '';
    this._write(mark(this._nonce, 'E', number));
    this.flush();
  }

  /** What the user's code writes, marked with its line. */
  write(bytes) {
    if (this.file) this._reach();
    this._write(bytes);
    if (this.state[AT_ONCE] > 0) {
      this.state[AT_ONCE] -= 1;
      this.flush();
    }
  }

  /** The line that runs, as stack traces say it. */
  get place() {
    return `${this.file}:${this.state[LINE] - this.state[FIRST]}`;
  }

  flush() {
    this._lock();
    flush(this._pipe, this.state, this.buffer);
    this._unlock();
  }

  /** The line that runs is the active one. One of an earlier block was called from one of this. */
  _reach() {
    const number = this.state[LINE] - this.state[FIRST];
    this.line(number > 0 ? number : this._lineOnStack());
  }

  /** This line of the block is the active one from here on. */
  line(number) {
    const { state } = this;
    if (!number || Atomics.load(state, TOLD) === number + state[FIRST]) return;
    this._lock();
    Atomics.store(state, TOLD, number + state[FIRST]);
    this._append(mark(this._nonce, 'L', number));
    this._unlock();
  }

  /** Send a notice over control, and mark the place where it belongs. Returns its number. */
  notice(content) {
    const number = ++this._notices;
    if (this.file) this._reach();
    writeAll(this._control, Buffer.from(`${JSON.stringify({ ...content, number })}\n`));
    this._write(mark(this._nonce, 'D', number));
    this.flush();
    return number;
  }

  /** The line of the innermost frame in the block that runs; 0 if there is none. */
  _lineOnStack() {
    const { prepareStackTrace, stackTraceLimit } = Error;
    const found = {};
    Error.stackTraceLimit = DEPTH;
    Error.prepareStackTrace = (_, frames) =>
      frames.find((frame) => frame.getScriptNameOrSourceURL() === this.file)?.getLineNumber() ?? 0;
    try {
      Error.captureStackTrace(found, this._lineOnStack);
      return found.stack;
    } finally {
      Error.prepareStackTrace = prepareStackTrace;
      Error.stackTraceLimit = stackTraceLimit;
    }
  }

  _write(bytes) {
    this._lock();
    this._append(bytes);
    this._unlock();
  }

  _append(bytes) {
    const { state, buffer } = this;
    if (state[FILLED] + bytes.length > buffer.length) flush(this._pipe, state, buffer);
    if (bytes.length > buffer.length) return writeAll(this._pipe, bytes);
    buffer.set(bytes, state[FILLED]);
    state[FILLED] += bytes.length;
  }

  /** It may be ours already: an interrupt has come while it was held. */
  _lock() {
    const { state } = this;
    while (Atomics.compareExchange(state, LOCK, 0, 1) === 2) Atomics.wait(state, LOCK, 2, 1);
  }

  _unlock() {
    Atomics.store(this.state, LOCK, 0);
  }
}

/** Looks like any stream on a pipe. What is written has been sent when `write` returns; it never closes. */
class Stream extends Writable {
  #output;

  constructor(output, fd) {
    super({ decodeStrings: false, emitClose: false });
    this.setMaxListeners(0); // those of each block come to it
    this.fd = fd;
    this.#output = output;
  }

  write(data, encoding, callback) {
    if (typeof encoding === 'function') [encoding, callback] = ['utf8', encoding];
    this.#output.write(typeof data === 'string' ? Buffer.from(data, encoding) : Buffer.from(data));
    if (callback) process.nextTick(callback);
    return true;
  }

  end(data, encoding, callback) {
    if (data !== undefined && typeof data !== 'function') this.write(data, encoding);
    const last = [data, encoding, callback].find((given) => typeof given === 'function');
    if (last) process.nextTick(last);
    process.nextTick(() => this.emit('finish'));
    return this; // left open: the next block writes too
  }

  destroy() {
    return this;
  }
}

module.exports = { Output };
