// What the main thread and the watcher share: a few numbers, and how both write marks.
'use strict';

const fs = require('node:fs');

const { Atomics, Buffer } = globalThis; // whatever a block calls so

/** Places in the shared Int32Array. Lines are numbered over all blocks: see `Blocks`. */
const LINE = 0; // being run
const TOLD = 1; // last marked
const FIRST = 2; // the number before the block's first line
const RUNNING = 3; // the block that runs; 0 between blocks
const LOCK = 4; // who writes: 0 nobody, 1 the main thread, 2 the watcher
const ANSWERS = 5; // how many answers have come
const STOPPED = 6; // the last block that was interrupted
const LEFT = 7; // whether the watcher's inspector has left
const FILLED = 8; // bytes that wait in the buffer
const AT_ONCE = 9; // pieces of output that are still sent at once in this tick
const SIZE = 10;

const nap = new Int32Array(new SharedArrayBuffer(4));

/** Send what waits in the buffer. Only for who holds the lock. */
function flush(fd, state, buffer) {
  const filled = state[FILLED];
  state[FILLED] = 0;
  if (filled > 0) writeAll(fd, buffer.subarray(0, filled));
}

/** Write all of it. A child may have made the pipe non-blocking for everybody. */
function writeAll(fd, bytes) {
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(fs.writeSync(fd, bytes));
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
      Atomics.wait(nap, 0, 0, 1);
    }
  }
}

/** Bytes of a mark. */
function mark(nonce, kind, number) {
  return Buffer.from(`\x1e${nonce}${kind}${number}\x1f`);
}

module.exports = { LINE, TOLD, FIRST, RUNNING, LOCK, ANSWERS, STOPPED, LEFT, FILLED, AT_ONCE, SIZE, flush, mark, writeAll };
