// Knows what Node's crypto, zlib and dns have under way. Node.js waits for that at its end, but lists it nowhere.
'use strict';

const { Object, Set, process } = globalThis; // constants, because a block may redefine the globals

const QUERY = /^(query|getHostByAddr)/;

class Jobs {
  constructor() {
    this._running = new Set(); // the jobs whose callback has not been called yet
    for (const [name, type] of Object.entries(binding('crypto'))) {
      if (name.endsWith('Job')) this._recordRuns(type.prototype);
    }
    const { Zlib, BrotliEncoder, BrotliDecoder, ZstdCompress, ZstdDecompress } = binding('zlib');
    for (const type of [Zlib, BrotliEncoder, BrotliDecoder, ZstdCompress, ZstdDecompress]) {
      if (type) this._recordWrites(type.prototype);
    }
    const { ChannelWrap } = binding('cares_wrap');
    if (ChannelWrap) this._recordQueries(ChannelWrap.prototype);
  }

  /** How many jobs run. */
  get count() {
    return this._running.size;
  }

  /** Forget the jobs that run. */
  clear() {
    this._running.clear();
  }

  /** Record the jobs of this class from `run` until their `ondone`; those that run at once have none. */
  _recordRuns(prototype) {
    const jobs = this;
    replace(prototype, 'run', (run) => function (...given) {
      if (this.ondone) jobs._record(this, 'ondone');
      return run.apply(this, given);
    });
  }

  /** Record the compressors of this class from `write` until the callback that was given to `init`, or `close`. */
  _recordWrites(prototype) {
    const running = this._running;
    replace(prototype, 'init', (init) => function (...given) {
      const callbacks = given.map((value) => (typeof value === 'function' ? function (...results) {
        running.delete(this);
        return value.apply(this, results);
      } : value));
      return init.apply(this, callbacks);
    });
    replace(prototype, 'write', (write) => function (...given) {
      running.add(this);
      return write.apply(this, given);
    });
    replace(prototype, 'close', (close) => function (...given) {
      running.delete(this);
      return close.apply(this, given);
    });
  }

  /** Record the queries that are sent by objects of this class, until their `oncomplete`. */
  _recordQueries(prototype) {
    const jobs = this;
    for (const name of Object.getOwnPropertyNames(prototype).filter((name) => QUERY.test(name))) {
      replace(prototype, name, (send) => function (query, ...given) {
        jobs._record(query, 'oncomplete');
        const error = send.call(this, query, ...given);
        if (error) jobs._running.delete(query);
        return error;
      });
    }
  }

  /** Record a job until this callback of it is called. */
  _record(job, callback) {
    const running = this._running;
    const done = job[callback];
    running.add(job);
    job[callback] = function (...results) {
      running.delete(job);
      return done.apply(this, results);
    };
  }
}

/** Replace a method by what `make` makes of it. */
function replace(prototype, name, make) {
  prototype[name] = make(prototype[name]);
}

/** Return classes of Node.js that are written in C++; none if this Node.js does not give them. */
function binding(name) {
  const { emitWarning } = process;
  process.emitWarning = () => {}; // that only Node.js itself should do this
  try {
    return process.binding(name);
  } catch {
    return {};
  } finally {
    process.emitWarning = emitWarning;
  }
}

module.exports = { Jobs };
