// Knows what a block has started that has not finished: timers, requests, child processes, threads.
// Servers do not count: they go on while later blocks run.
'use strict';

const CHECK = 5; // milliseconds between two checks

const workerThreads = require('node:worker_threads');

// Constants, because a block may redefine the globals.
const { Map, Object, Promise, Set, process } = globalThis;
const { setTimeout, setInterval, setImmediate, clearTimeout, clearImmediate } = globalThis;

class Pending {
  constructor(input) {
    this._input = input;
    this._timers = new Set(); // that this block has set
    this._before = new Map(); // the resources that were active when the block began
    this._threads = new Set(); // that this block has started
    this._recordThreads();
    this._recordTimers('setTimeout', setTimeout, true);
    this._recordTimers('setInterval', setInterval, false);
    this._recordTimers('setImmediate', setImmediate, true);
  }

  /** A block begins. */
  begin() {
    this._timers = new Set();
    this._threads.clear();
    this._before = resources();
  }

  /** Wait until nothing is pending, or until `cancelled` returns true. */
  async wait(cancelled) {
    await new Promise(setImmediate); // so that an unhandled rejection is reported
    while (this._busy() && !cancelled()) await new Promise((resolve) => setTimeout(resolve, CHECK));
  }

  /** Return true if this value is a timer of the block. */
  has(timer) {
    return this._timers.has(timer);
  }

  /** Cancel all timers of the block. */
  clear() {
    for (const timer of this._timers) {
      clearTimeout(timer);
      clearImmediate(timer);
    }
  }

  /** Return true if anything of the block is pending. */
  _busy() {
    if (this._input.waiting || this._threads.size > 0) return true;
    for (const timer of this._timers) {
      if (timer._destroyed) this._timers.delete(timer);
      else if (timer.hasRef()) return true;
    }
    const now = resources();
    if (now.has('TCPServerWrap')) now.delete('TCPSocketWrap'); // a server's connections do not count either
    now.delete('TCPServerWrap');
    for (const [kind, count] of now) if (count > (this._before.get(kind) ?? 0)) return true;
    return false;
  }

  /** Replace the class of threads by one that records them in `_threads` until they end. */
  _recordThreads() {
    const threads = this._threads;
    workerThreads.Worker = class Worker extends workerThreads.Worker {
      constructor(...given) {
        super(...given);
        threads.add(this);
        this.once('exit', () => threads.delete(this));
      }

      unref() {
        threads.delete(this);
        super.unref();
      }
    };
  }

  /** Replace a global function that sets a timer by one that records it. `once`: the timer runs once. */
  _recordTimers(name, original, once) {
    const pending = this;
    const recording = function (callback, ...rest) {
      const timers = pending._timers;
      const timer = original.call(this, once && typeof callback === 'function' ? done : callback, ...rest);
      function done(...given) {
        timers.delete(timer);
        return callback.apply(this, given);
      }
      timers.add(timer);
      return timer;
    };
    Object.defineProperties(recording, Object.getOwnPropertyDescriptors(original));
    globalThis[name] = recording;
  }
}

/** Return how many resources of each kind keep Node.js from ending, without timers. */
function resources() {
  const counts = new Map();
  for (const kind of process.getActiveResourcesInfo()) {
    if (/^(Timeout|Immediate|PipeServerWrap|CloseReq)$/.test(kind)) continue;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

module.exports = { Pending };
