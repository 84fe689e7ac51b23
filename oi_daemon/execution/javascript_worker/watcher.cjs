// The thread beside the user's code: hears the daemon, sees the active line, and interrupts.
'use strict';

const inspector = require('node:inspector');
const net = require('node:net');
const { parentPort, workerData } = require('node:worker_threads');
const { LINE, TOLD, FIRST, RUNNING, LOCK, ANSWERS, STOPPED, LEFT, AT_ONCE, flush, mark, writeAll } = require('./state.cjs');

const PIECES = 50; // of output per tick that are sent at once
const TICK = 15; // milliseconds between two looks at the active line
const SOON = 5; // milliseconds that the main thread has to show that it is free,
const LATER = 100; // and to end a block once it has

const { control, answers, answered, nonce, state, buffer } = workerData;
const PING = { kind: 'ping' };
const session = new inspector.Session();
session.connectToMainThread();

let pong = () => {};
parentPort.on('message', (message) => (message === 'leave' ? leave() : pong()));

/** Before its end, Node.js would wait for all inspectors to leave, and say so. */
function leave() {
  session.disconnect();
  Atomics.store(state, LEFT, 1);
  Atomics.notify(state, LEFT);
}

/** Whether the main thread answers in time. */
function heard(message, within = SOON) {
  return new Promise((resolve) => {
    const late = setTimeout(resolve, within, false);
    pong = () => resolve(true, clearTimeout(late));
    parentPort.postMessage(message);
  });
}

/** What the main thread runs, or what it runs next, is terminated. */
function terminate() {
  return new Promise((resolve) => session.post('Runtime.terminateExecution', resolve));
}

/**
 * Stop the block: what runs is terminated until the main thread is free to end it. A termination that
 * finds nothing running hits what runs next: let that be a ping, and neither the end nor another block.
 */
async function stop() {
  const block = Atomics.load(state, RUNNING);
  if (!block || state[STOPPED] === block) return;
  Atomics.store(state, STOPPED, block);
  let free = false;
  while (Atomics.load(state, RUNNING) === block) {
    free = free ? await heard({ kind: 'stop', block }, LATER) : await heard(PING);
    if (free) continue;
    await terminate();
    await heard(PING);
  }
}

function run(block, code) {
  if (state[LEFT]) session.connectToMainThread();
  state[LEFT] = 0;
  parentPort.postMessage({ kind: 'run', block, code });
}

/** Send what waits, and mark the line that runs if it is a new one. */
function tick() {
  if (Atomics.compareExchange(state, LOCK, 0, 2) !== 0) return;
  flush(1, state, buffer);
  state[AT_ONCE] = PIECES;
  const line = Atomics.load(state, LINE);
  if (state[RUNNING] && line > state[FIRST] && line !== state[TOLD]) {
    Atomics.store(state, TOLD, line);
    writeAll(1, mark(nonce, 'L', line - state[FIRST]));
  }
  Atomics.store(state, LOCK, 0);
  Atomics.notify(state, LOCK);
}

/** Requests: a block's number and the size of its code in bytes, a line break, the code; 0 stops. */
let requests = Buffer.alloc(0);
new net.Socket({ fd: control, readable: true, writable: false })
  .on('data', (data) => {
    requests = Buffer.concat([requests, data]);
    for (let end = requests.indexOf('\n'); end >= 0; end = requests.indexOf('\n')) {
      const [block, size] = requests.toString('latin1', 0, end).split(' ').map(Number);
      if (requests.length < end + 1 + size) break;
      const code = requests.toString('utf8', end + 1, end + 1 + size);
      requests = requests.subarray(end + 1 + size);
      if (block) run(block, code);
      else stop();
    }
  })
  .on('close', () => process.kill(-process.pid, 'SIGKILL')); // the daemon is gone

/** Answers: a request's number and its line in hexadecimal; none is the end of input. */
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
