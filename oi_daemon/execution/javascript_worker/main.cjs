// A persistent Node.js that runs blocks: `node main.cjs CONTROL ANSWERS NONCE`.
//
// The main thread runs the user's code. A second thread, the watcher, receives the daemon's requests,
// looks which line is active, and interrupts; all of that works while the main thread is busy. The
// output and the marks in it go through one pipe, so they arrive in the order in which they were
// written. A mark is `RS nonce KIND number US`; its kind is L (this line is active), D (the control
// message with this number belongs here), X (the block exits with this status) or E (the block with this number
// has ended).
'use strict';

const { Buffer, process } = globalThis; // constants, because a block may redefine the globals

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 11)) {
  process.stderr.write(`This is Node.js ${process.version}, but 20.11 or later is needed.\n`);
  process.exit(1);
}

const path = require('node:path');
const { MessageChannel, Worker } = require('node:worker_threads');
const { Output } = require('./output.cjs');

const [control, answers] = process.argv.slice(2, 4).map(Number);
const nonce = process.argv[4];
process.argv.length = 1;
process.execArgv.length = 0;

const output = new Output(nonce, control);
const { port1, port2 } = new MessageChannel();
const watcher = new Worker(path.join(__dirname, 'watcher.cjs'), {
  workerData: { control, answers, nonce, answered: port2, state: output.state, buffer: output.buffer },
  transferList: [port2],
});
// Loaded now, while the watcher's thread starts: the parser of JavaScript takes some milliseconds.
const { Blocks } = require('./blocks.cjs');
const { installEnds } = require('./ends.cjs');
const { Input } = require('./input.cjs');
const { Pending } = require('./pending.cjs');
const { install } = require('./scope.cjs');

const input = new Input(port1, output);
const blocks = new Blocks(watcher, output, new Pending(input));
output.install();
input.install();
install(blocks, input, output);

// The daemon sends SIGINT to the whole group, for the child processes. Here the watcher stops the code.
process.on('SIGINT', () => {});
for (const [event, prefix] of [['unhandledRejection', 'Uncaught (in promise) '], ['uncaughtException', 'Uncaught ']]) {
  process.on(event, (error) => {
    if (process.listenerCount(event) === 1) blocks.report(error, prefix); // else the user's code handles it
  });
}
installEnds(blocks, output);
watcher.on('error', (error) => {
  output.write(Buffer.from(`${error.stack}\n`));
  process.reallyExit(70);
});
watcher.on('message', (message) => {
  if (message.kind === 'run') blocks.run(message.block, message.code);
  else if (message.kind === 'stop') blocks.stop(message.block);
  else watcher.postMessage('received');
});
