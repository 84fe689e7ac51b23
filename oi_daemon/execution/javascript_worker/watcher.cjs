// The second thread: receives the daemon's requests, marks the active line, and interrupts.
'use strict';

const fs = require('node:fs');
const inspector = require('node:inspector');
const net = require('node:net');
const { parentPort, workerData } = require('node:worker_threads');
const {
  LINE, MARKED, FIRST, RUNNING, LOCK, ANSWERS, STOPPED, DETACHED, FLUSHED_WRITES_LEFT,
  flush, mark, writeAll,
} = require('./state.cjs');

const { Questions } = require('./questions.cjs');

const FLUSHED_WRITES = 50; // how many writes per tick are flushed at once
const TICK = 15; // milliseconds between two looks at the active line
const REPLY_TIMEOUT = 5; // milliseconds within which a main thread that is free answers a message
const CHILD_TIMEOUT = 200; // milliseconds within which it is free again after its child was interrupted
const END_TIMEOUT = 100; // milliseconds within which it ends a block

const { control, answers, answered, nonce, state, buffer } = workerData;
const PING = { kind: 'ping' };
const session = new inspector.Session();
session.connectToMainThread();
const questions = new Questions(session);

let stopping = Promise.resolve(); // is fulfilled when the block that was stopped last has left the main thread
let onReply = () => {};
const ORDERS = { detach, exit: stop };
parentPort.on('message', (message) => (ORDERS[message] ?? onReply)());

/** Close the inspector session. At its end, Node.js would wait for it, and print that it does. */
function detach() {
  session.disconnect();
  Atomics.store(state, DETACHED, 1);
  Atomics.notify(state, DETACHED);
}

/** Send a message to the main thread; resolve to true if it replies in time. */
function send(message, timeout = REPLY_TIMEOUT) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, timeout, false);
    onReply = () => resolve(true, clearTimeout(timer));
    parentPort.postMessage(message);
  });
}

/**
 * Whether the main thread may wait for a child process. The daemon's SIGINT ends it, and Node.js aborts
 * if the code is terminated just while the child's results are collected.
 */
function mayWaitForChild() {
  try {
    return fs.readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'latin1') !== '';
  } catch {
    return false; // there is no /proc
  }
}

/**
 * Terminate what the main thread runs. If it runs nothing, the termination waits for what runs next: then it
 * hits a ping, and not the block's end or the next block.
 */
async function terminate() {
  let terminated = false;
  session.post('Runtime.terminateExecution', () => { terminated = true; });
  while (!terminated) await send(PING);
}

/** Stop the block that runs, unless that has been begun already. */
function stop() {
  const block = Atomics.load(state, RUNNING);
  if (!block || state[STOPPED] === block) return;
  Atomics.store(state, STOPPED, block);
  stopping = end(block);
}

/**
 * Terminate what runs until the main thread is free, then let it end the block, and terminate what the block
 * has left in the queue of `process.nextTick`, as long as that runs.
 */
async function end(block) {
  let free = mayWaitForChild() && (await send(PING, CHILD_TIMEOUT));
  while (Atomics.load(state, RUNNING) === block) {
    free = free ? await send({ kind: 'stop', block }, END_TIMEOUT) : await send(PING);
    if (!free) await terminate();
  }
  while (!(await send(PING))) await terminate();
}

/** Have the main thread run a block, once nothing is terminated there any more. */
async function run(block, code) {
  await stopping;
  if (state[DETACHED]) session.connectToMainThread(); // a signal to this process has not ended it
  state[DETACHED] = 0;
  parentPort.postMessage({ kind: 'run', block, code });
}

/** Answer a lookup. If the main thread does not, because it is in a call of C++, nobody does. */
async function lookUp(number, kind, position, limit, code) {
  const answer = await questions.answer(kind, code, position, limit).catch(() => '{}');
  while (Atomics.compareExchange(state, LOCK, 0, 2) !== 0) await new Promise((resolve) => setTimeout(resolve, 1));
  writeAll(control, Buffer.from(`{"number":${number},"answer":${answer}}\n`));
  Atomics.store(state, LOCK, 0);
  Atomics.notify(state, LOCK);
}

/** Send what is in the buffer, and mark the line that runs if it has changed. */
function tick() {
  if (Atomics.compareExchange(state, LOCK, 0, 2) !== 0) return;
  flush(1, state, buffer);
  state[FLUSHED_WRITES_LEFT] = FLUSHED_WRITES;
  const line = Atomics.load(state, LINE);
  if (state[RUNNING] && line > state[FIRST] && line !== state[MARKED]) {
    Atomics.store(state, MARKED, line);
    writeAll(1, mark(nonce, 'L', line - state[FIRST]));
  }
  Atomics.store(state, LOCK, 0);
  Atomics.notify(state, LOCK);
}

// A request is a block's number, the size of its code in bytes, a line break and the code. The number 0
// means: interrupt the block that runs. A lookup begins with `?`, its number, kind, position and limit.
let requests = Buffer.alloc(0);
new net.Socket({ fd: control, readable: true, writable: false })
  .on('data', (data) => {
    requests = Buffer.concat([requests, data]);
    for (let end = requests.indexOf('\n'); end >= 0; end = requests.indexOf('\n')) {
      const words = requests.toString('latin1', 0, end).split(' ');
      const [block, size] = [Number(words[0]), Number(words.at(-1))];
      if (requests.length < end + 1 + size) break;
      const code = requests.toString('utf8', end + 1, end + 1 + size);
      requests = requests.subarray(end + 1 + size);
      if (words[0] === '?') lookUp(words[1], words[2], Number(words[3]), Number(words[4]), code);
      else if (block) run(block, code);
      else stop();
    }
  })
  .on('close', () => process.kill(-process.pid, 'SIGKILL')); // the daemon has ended

// An answer is a request's number and the line in hexadecimal; without a line it is the end of input.
let lines = '';
new net.Socket({ fd: answers, readable: true, writable: false }).setEncoding('latin1').on('data', (data) => {
  const complete = (lines + data).split('\n');
  lines = complete.pop();
  for (const answer of complete) {
    const [number, hexadecimal] = answer.split(' ');
    const line = hexadecimal ? Buffer.from(hexadecimal, 'hex').toString() : null;
    answered.postMessage({ number: Number(number), line });
    Atomics.add(state, ANSWERS, 1);
    Atomics.notify(state, ANSWERS);
  }
});

setInterval(tick, TICK);
