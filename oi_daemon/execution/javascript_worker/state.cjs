// What the main thread and the watcher share: an array of numbers, and functions to write marks.
'use strict';

const fs = require('node:fs');

const { Atomics, Buffer } = globalThis; // constants, because a block may redefine the globals

/** Indexes in the shared Int32Array. Lines are numbered across all blocks: see `Blocks`. */
const LINE = 0; // the line that runs
const MARKED = 1; // the line that was marked last
const FIRST = 2; // the number before that of the block's first line
const RUNNING = 3; // the number of the block that runs; 0 between blocks
const LOCK = 4; // which thread writes: 0 none, 1 the main thread, 2 the watcher
const ANSWERS = 5; // how many answers to requests for input have arrived
const STOPPED = 6; // the number of the last block that was interrupted
const DETACHED = 7; // 1 once the watcher's inspector session is closed, so that Node.js can end
const FILLED = 8; // how many bytes are in the output buffer
const FLUSHED_WRITES_LEFT = 9; // how many writes are still flushed at once before the next tick
const NEVER = 10; // always 0: whoever waits for a change waits for ever
const SIZE = 11;

const sleeper = new Int32Array(new SharedArrayBuffer(4)); // always 0; only to wait with a timeout

/** Send what is in the buffer. The caller must hold the lock. */
function flush(fd, state, buffer) {
  const filled = state[FILLED];
  state[FILLED] = 0;
  if (filled > 0) writeAll(fd, buffer.subarray(0, filled));
}

/** Write all bytes. The pipe may be non-blocking, because a child process can make it so for all. */
function writeAll(fd, bytes) {
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(fs.writeSync(fd, bytes));
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
      Atomics.wait(sleeper, 0, 0, 1);
    }
  }
}

/** Return the bytes of a mark. */
function mark(nonce, kind, number) {
  return Buffer.from(`\x1e${nonce}${kind}${number}\x1f`);
}

module.exports = {
  LINE, MARKED, FIRST, RUNNING, LOCK, ANSWERS, STOPPED, DETACHED, FILLED, FLUSHED_WRITES_LEFT, NEVER,
  SIZE,
  flush, mark, writeAll,
};
