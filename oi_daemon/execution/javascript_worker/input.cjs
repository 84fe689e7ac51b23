// Lines of input: asked of the person over control, answered through the watcher.
'use strict';

const { Readable } = require('node:stream');
const { receiveMessageOnPort } = require('node:worker_threads');
const { ANSWERS } = require('./state.cjs');

const { Atomics, setImmediate } = globalThis; // whatever a block calls so

class Input {
  /** Answers come over this port: a request's number, and a line with its end or null. */
  constructor(port, output) {
    this._port = port;
    this._output = output;
    this._answers = new Map();
    this._readers = new Map();
    this._opening = 0; // readers that are about to ask
    port.on('message', (answer) => this._take(answer));
  }

  /** Whether somebody waits for a line. */
  get waiting() {
    return this._opening > 0 || [...this._readers.values()].some(isRead);
  }

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

  /** As a browser's: the line without its end; the default for an empty one; null at the end of input. */
  prompt(text, value = '') {
    const number = this._output.notice({ input: text === undefined ? '' : `${text} ` });
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

  _take({ number, line }) {
    const stdin = this._readers.get(number);
    this._readers.delete(number);
    if (stdin) stdin.push(line);
    else this._answers.set(number, line);
  }

  /** Asks when somebody reads it. It is left open after a line, so it waits to see whether they do. */
  _stream() {
    const ask = () => this._readers.set(this._output.notice({ input: '' }), stdin);
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

/** Whether somebody waits for what it gives. */
function isRead(stdin) {
  return stdin.readableFlowing || stdin.listenerCount('readable') > 0;
}

module.exports = { Input };
