// What a block has begun and not finished: timers, requests, children, threads. Servers go on beside it.
'use strict';

const LOOK = 5; // milliseconds between two looks

const workerThreads = require('node:worker_threads');

// Whatever a block calls so.
const { Map, Object, Promise, Set, process } = globalThis;
const { setTimeout, setInterval, setImmediate, clearTimeout, clearImmediate } = globalThis;

class Pending {
  constructor(input) {
    this._input = input;
    this._timers = new Set();
    this._before = new Map();
    this._threads = new Set();
    this._keepThreads();
    this._keep('setTimeout', setTimeout, true);
    this._keep('setInterval', setInterval, false);
    this._keep('setImmediate', setImmediate, true);
  }

  begin() {
    this._timers = new Set();
    this._threads.clear();
    this._before = resources();
  }

  /** Wait until nothing is under way, or until `given` says that nobody waits any more. */
  async none(given) {
    await new Promise(setImmediate); // for a rejection that nobody handles to be told
    while (this._busy() && !given()) await new Promise((resolve) => setTimeout(resolve, LOOK));
  }

  has(timer) {
    return this._timers.has(timer);
  }

  /** Nothing that the block has set goes off any more. */
  clear() {
    for (const timer of this._timers) {
      clearTimeout(timer);
      clearImmediate(timer);
    }
  }

  _busy() {
    if (this._input.waiting || this._threads.size > 0) return true;
    for (const timer of this._timers) {
      if (timer._destroyed) this._timers.delete(timer);
      else if (timer.hasRef()) return true;
    }
    const now = resources();
    if (now.has('TCPServerWrap')) now.delete('TCPSocketWrap'); // its connections go on beside it as well
    now.delete('TCPServerWrap');
    for (const [kind, count] of now) if (count > (this._before.get(kind) ?? 0)) return true;
    return false;
  }

  _keepThreads() {
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

  _keep(name, original, once) {
    const pending = this;
    const kept = function (callback, ...rest) {
      const timers = pending._timers;
      const timer = original.call(this, once && typeof callback === 'function' ? done : callback, ...rest);
      function done(...given) {
        timers.delete(timer);
        return callback.apply(this, given);
      }
      timers.add(timer);
      return timer;
    };
    Object.defineProperties(kept, Object.getOwnPropertyDescriptors(original));
    globalThis[name] = kept;
  }
}

/** How many of each kind keep Node.js from ending. Timers are counted by themselves. */
function resources() {
  const counts = new Map();
  for (const kind of process.getActiveResourcesInfo()) {
    if (/^(Timeout|Immediate|PipeServerWrap|CloseReq)$/.test(kind)) continue;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

module.exports = { Pending };
