// Knows what a block has started that has not finished: timers, requests, jobs, child processes, threads.
// Servers do not count, nor do the connections that they accept: they go on while later blocks run.
'use strict';

const CHECK = 5; // milliseconds between two checks
const QUIET_CHECKS = 4; // how often more to check in a block with connections, whose other end may be ours too

const IDLE = 500; // milliseconds without traffic after which a connection that a server has accepted counts as ended

const { Server, Socket } = require('node:net');
const workerThreads = require('node:worker_threads');
const { Jobs } = require('./jobs.cjs');

// Constants, because a block may redefine the globals.
const { Date, Map, Object, Promise, Reflect, Set, WeakMap, process } = globalThis;
const { setTimeout, setInterval, setImmediate, clearTimeout, clearImmediate } = globalThis;

class Pending {
  constructor(input) {
    this._input = input;
    this._timers = new Set(); // that this block has set
    this._before = new Map(); // the resources that were active when the block began, by their kinds
    this._handles = new Set(); // the objects that kept Node.js from ending then
    this._traffic = new WeakMap(); // how many bytes a connection has moved, and since when not more
    this._connected = false; // whether this block has had a server or a connection
    this._threads = new Set(); // that this block has started
    this._jobs = new Jobs();
    this._recordThreads();
    this._recordTimers('setTimeout', setTimeout, true);
    this._recordTimers('setInterval', setInterval, false);
    this._recordTimers('setImmediate', setImmediate, true);
  }

  /** A block begins. */
  begin() {
    this._timers = new Set();
    this._threads.clear();
    this._jobs.clear();
    this._handles = new Set(process._getActiveHandles());
    this._connected = false;
    this._before = resources();
  }

  /** Wait until nothing is pending, or until `cancelled` returns true. */
  async wait(cancelled) {
    await new Promise(setImmediate); // so that an unhandled rejection is reported
    let quiet = 0; // how often in a row nothing was pending
    while (!cancelled()) {
      quiet = this._busy() ? 0 : quiet + 1;
      if (quiet > (this._connected ? QUIET_CHECKS : 0)) return;
      await new Promise((resolve) => setTimeout(resolve, CHECK));
    }
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

  /** Cancel and close all that the block has begun, without calling any of its listeners. */
  close() {
    this.clear();
    for (const thread of this._threads) thread.terminate();
    for (const handle of this._opened()) {
      if (typeof handle.removeAllListeners === 'function') handle.removeAllListeners().on('error', () => {});
      if (handle instanceof Socket) handle.destroy();
      else if (typeof handle.close === 'function') handle.close();
    }
  }

  /** Return the objects of the block that keep Node.js from ending: sockets, servers, watchers. */
  _opened() {
    return process._getActiveHandles().filter((handle) => !this._handles.has(handle));
  }

  /** Return true if anything of the block is pending. */
  _busy() {
    if (this._input.waiting || this._threads.size > 0 || this._jobs.count > 0) return true;
    for (const timer of this._timers) {
      if (timer._destroyed) this._timers.delete(timer);
      else if (timer.hasRef()) return true;
    }
    const opened = this._opened();
    this._connected ||= opened.some((handle) => handle instanceof Socket || handle instanceof Server);
    if (opened.some((handle) => isAwaited(handle) && !(handle.server && this._isIdle(handle)))) return true;
    for (const [kind, count] of resources()) if (count > (this._before.get(kind) ?? 0)) return true;
    return false;
  }

  /**
   * Return true if nothing has gone over this connection for a while. The other end may have closed it, which
   * Node.js does not tell of a connection that TLS or HTTP/2 reads.
   */
  _isIdle(connection) {
    const bytes = connection.bytesRead + connection.bytesWritten;
    const last = this._traffic.get(connection);
    if (last?.bytes === bytes) return Date.now() - last.since > IDLE;
    this._traffic.set(connection, { bytes, since: Date.now() });
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
        try {
          return Reflect.apply(callback, this, given);
        } finally {
          if (timer.refresh && timer._idleNext) timers.add(timer); // the callback has called `refresh`
        }
      }
      timers.add(timer);
      return timer;
    };
    Object.defineProperties(recording, Object.getOwnPropertyDescriptors(original));
    globalThis[name] = recording;
  }
}

/** Return true for a UDP socket or connection that a script would wait for, unless its server listens on. */
function isAwaited(handle) {
  if (!(handle instanceof Socket)) return /^udp/.test(handle.type) && isBound(handle);
  // A connection that nobody reads from, or that the other end has closed, keeps no script from ending.
  // One that is not made yet has a request, which `resources` counts.
  return !handle.server?.listening && Boolean(handle._handle?.reading) && !handle._readableState.ended;
}

/** Return true if a UDP socket is bound; one that is not keeps no script from ending. */
function isBound(socket) {
  try {
    return Boolean(socket.address());
  } catch {
    return false;
  }
}

const UNCOUNTED = /^((TCP|Pipe)ServerWrap|TCPSocketWrap|PipeWrap|TLSWrap|UDPWrap)$/;

/** Return how many resources of each kind keep Node.js from ending, without connections and UDP sockets. */
function resources() {
  const counts = new Map();
  for (const kind of process.getActiveResourcesInfo()) {
    if (!UNCOUNTED.test(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

module.exports = { Pending };
