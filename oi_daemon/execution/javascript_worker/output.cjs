// process.stdout and process.stderr of the user's code, and the marks in what they write.
'use strict';

const { Console } = require('node:console');
const childProcess = require('node:child_process');
const fs = require('node:fs');
const { syncBuiltinESMExports } = require('node:module');
const { Writable } = require('node:stream');
const {
  LINE, MARKED, FIRST, LOCK, FILLED, FLUSHED_WRITES_LEFT, SIZE, flush, mark, writeAll,
} = require('./state.cjs');

const { Atomics, Buffer, Error, JSON, Object, process } = globalThis; // a block may redefine these

const DEPTH = 40; // how many frames are searched for the line of a write

class Output {
  constructor(nonce, control) {
    this.state = new Int32Array(new SharedArrayBuffer(4 * SIZE));
    // Most writes are flushed at once, so that a crash does not lose the last output. In a flood, output
    // stays here until the watcher's next tick, so that it costs few system calls.
    this.buffer = Buffer.from(new SharedArrayBuffer(1 << 16));
    this.file = ''; // the running block's file name in stack traces; empty between blocks
    this._nonce = nonce;
    this._control = control;
    this._messages = 0; // the number of the last control message
    // A descriptor of its own, so that marks arrive whatever the user's code does to 1 and 2.
    this._pipe = fs.openSync('/dev/fd/1', 'a');
  }

  /** Replace process.stdout, process.stderr and console; flush before a child process starts. */
  install() {
    for (const [name, fd] of [['stdout', 1], ['stderr', 2]]) {
      const stream = new Stream(this, fd);
      Object.defineProperty(process, name, { configurable: true, enumerable: true, get: () => stream });
    }
    // Node's own console also sends each line to the inspector, which takes many times as long.
    const console = new Console(process.stdout, process.stderr);
    globalThis.console = Object.assign(console, { Console });
    for (const name of ['spawn', 'spawnSync', 'exec', 'execSync', 'execFile', 'execFileSync', 'fork']) {
      const original = childProcess[name];
      const output = this;
      const started = function (...given) {
        output._markActive(); // the child's output belongs to this line
        output.flush();
        return original.apply(this, given);
      };
      childProcess[name] = Object.defineProperties(started, Object.getOwnPropertyDescriptors(original));
    }
    syncBuiltinESMExports();
  }

  /** A block begins. `first` is the number of lines in all blocks before. */
  begin(file, first) {
    this.file = file;
    const { state } = this;
    Atomics.store(state, LINE, 0);
    Atomics.store(state, MARKED, 0);
    Atomics.store(state, FIRST, first);
    Atomics.store(state, LOCK, 0); // the last block may have been interrupted while it held the lock
  }

  /** The block has ended: mark that, so that later output is not taken for its output. */
  end(number) {
    this.file = '';
    this._write(mark(this._nonce, 'E', number));
    this.flush();
  }

  /** Mark the exit status with which the block has ended itself. */
  exit(status) {
    this._write(mark(this._nonce, 'X', status));
  }

  /** Write what the user's code writes, after a mark for its line. */
  write(bytes) {
    if (this.file) this._markActive();
    this._write(bytes);
    if (this.state[FLUSHED_WRITES_LEFT] > 0) {
      this.state[FLUSHED_WRITES_LEFT] -= 1;
      this.flush();
    }
  }

  /** The line that runs, in the form that stack traces have. */
  get place() {
    return `${this.file}:${this.state[LINE] - this.state[FIRST]}`;
  }

  /** Send what is in the buffer. */
  flush() {
    this._lock();
    flush(this._pipe, this.state, this.buffer);
    this._unlock();
  }

  /** Mark the line that runs. If it belongs to an earlier block, mark the line of this block that called it. */
  _markActive() {
    const number = this.state[LINE] - this.state[FIRST];
    this.line(number > 0 ? number : this._lineOnStack());
  }

  /** Mark this line of the block as active, unless it was marked last. */
  line(number) {
    const { state } = this;
    if (!number || Atomics.load(state, MARKED) === number + state[FIRST]) return;
    this._lock();
    Atomics.store(state, MARKED, number + state[FIRST]);
    this._append(mark(this._nonce, 'L', number));
    this._unlock();
  }

  /** Send a control message, and mark where in the output it belongs. Returns its number. */
  send(content) {
    const number = ++this._messages;
    if (this.file) this._markActive();
    this._lock(); // the watcher writes answers to lookups there
    writeAll(this._control, Buffer.from(`${JSON.stringify({ ...content, number })}\n`));
    this._unlock();
    this._write(mark(this._nonce, 'D', number));
    this.flush();
    return number;
  }

  /** Return the line of the innermost frame that belongs to the running block; 0 if there is none. */
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

  /** Add bytes to the buffer; send them at once if they do not fit. The caller must hold the lock. */
  _append(bytes) {
    const { state, buffer } = this;
    if (state[FILLED] + bytes.length > buffer.length) flush(this._pipe, state, buffer);
    if (bytes.length > buffer.length) return writeAll(this._pipe, bytes);
    buffer.set(bytes, state[FILLED]);
    state[FILLED] += bytes.length;
  }

  /** Wait until the watcher does not write. This thread may hold the lock already, after an interrupt. */
  _lock() {
    const { state } = this;
    while (Atomics.compareExchange(state, LOCK, 0, 1) === 2) Atomics.wait(state, LOCK, 2, 1);
  }

  _unlock() {
    Atomics.store(this.state, LOCK, 0);
  }
}

/** process.stdout or process.stderr: a stream that writes synchronously and never closes. */
class Stream extends Writable {
  #output;

  constructor(output, fd) {
    super({ decodeStrings: false, emitClose: false });
    this.setMaxListeners(0); // each block may add some, and none are removed
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
    return this; // it stays open, because the next block writes too
  }

  destroy() {
    return this;
  }
}

module.exports = { Output };
