// Lines of input: requested from the person over control, and answered through the watcher.
'use strict';

const { Readable } = require('node:stream');
const { receiveMessageOnPort } = require('node:worker_threads');
const { ANSWERS } = require('./state.cjs');

const { Atomics, setImmediate } = globalThis; // constants, because a block may redefine the globals

class Input {
  /** Answers arrive at this port: a request's number, and its line with the line break, or null. */
  constructor(port, output) {
    this._port = port;
    this._output = output;
    this._answers = new Map(); // lines that arrived for `prompt`, by their requests' numbers
    this._readers = new Map(); // streams that wait for a line, by their requests' numbers
    this._opening = 0; // how many streams are about to request a line
    port.on('message', (answer) => this._take(answer));
  }

  /** True while code waits for a line. */
  get waiting() {
    return this._opening > 0 || [...this._readers.values()].some(isRead);
  }

  /** Define process.stdin, which is a new stream in each block, and after its end. */
  install() {
    let stdin;
    let block;
    const get = () => {
      const renewed = this._output.file && this._output.file !== block;
      if (!stdin || stdin.readableEnded || stdin.destroyed || renewed) stdin = this._stream();
      block = this._output.file;
      return stdin;
    };
    Object.defineProperty(process, 'stdin', { configurable: true, enumerable: true, get });
  }

  /** As in a browser: return the line, `value` for an empty one, or null at the end of input. */
  prompt(text, value = '') {
    const number = this._output.send({ input: text === undefined ? '' : `${text} ` });
    while (!this._answers.has(number)) {
      const seen = Atomics.load(this._output.state, ANSWERS);
      const received = receiveMessageOnPort(this._port);
      if (received) this._take(received.message);
      else Atomics.wait(this._output.state, ANSWERS, seen);
    }
    const line = this._answers.get(number);
    this._answers.delete(number);
    return line === null ? null : line.replace(/\n$/, '') || value;
  }

  /** Give an answer to the stream or the `prompt` that requested it. */
  _take({ number, line }) {
    const stdin = this._readers.get(number);
    this._readers.delete(number);
    if (stdin) stdin.push(line);
    else this._answers.set(number, line);
  }

  /**
   * Return a stream that requests a line only when code reads from it. Node.js also calls `read` after
   * each line, so it waits a moment to see whether anybody still reads.
   */
  _stream() {
    const ask = () => this._readers.set(this._output.send({ input: '' }), stdin);
    const stdin = new Readable({
      highWaterMark: 0,
      read: () => {
        this._opening += 1;
        setImmediate(() => {
          this._opening -= 1;
          if (isRead(stdin)) ask();
          else stdin.once('resume', ask);
        });
      },
    });
    stdin.fd = 0;
    return stdin;
  }
}

/** Return true if code waits for data from this stream. */
function isRead(stdin) {
  return stdin.readableFlowing || stdin.listenerCount('readable') > 0;
}

module.exports = { Input };
