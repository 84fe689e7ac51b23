// A persistent Node.js that runs blocks: `node --expose-internals main.cjs CONTROL ANSWERS NONCE`.
//
// The main thread runs the user's code. A thread beside it, the watcher, listens to the daemon, looks
// which line is active, and interrupts; so all of that works while the main thread is busy. What
// the user's code writes, and marks (`RS nonce KIND number US`) that say which line is active (L),
// where a notice belongs (D) and that a block has ended (E), go through one pipe, in their true order.
'use strict';

const { Buffer, process } = globalThis; // whatever a block calls so

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 11)) {
  process.stderr.write(`This is Node.js ${process.version}, but 20.11 or later is needed.\n`);
  process.exit(1);
}

const path = require('node:path');
const { MessageChannel, Worker } = require('node:worker_threads');
const { Blocks } = require('./blocks.cjs');
const { Input } = require('./input.cjs');
const { Output } = require('./output.cjs');
const { Pending } = require('./pending.cjs');
const { install } = require('./scope.cjs');

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
const input = new Input(port1, output);
const blocks = new Blocks(watcher, output, new Pending(input));
output.install();
input.install();
install(blocks, input, output);

// The daemon signals the whole group, for the children; what stops the code here is the watcher.
process.on('SIGINT', () => {});
process.on('unhandledRejection', (error) => blocks.report(error, 'Uncaught (in promise) '));
process.on('uncaughtException', (error) => blocks.report(error, 'Uncaught '));
process.exit = (code) => {
  if (code !== undefined) process.exitCode = code;
  process.emit('exit', process.exitCode ?? 0);
  output.flush();
  blocks.leave();
  process.reallyExit(process.exitCode ?? 0);
};
const { kill } = process;
process.kill = (pid, signal) => {
  if (pid === process.pid && signal !== 0) {
    output.flush();
    blocks.leave();
  }
  return kill.call(process, pid, signal);
};
watcher.on('error', (error) => {
  output.write(Buffer.from(`${error.stack}\n`));
  process.reallyExit(70);
});
watcher.on('message', (message) => {
  if (message.kind === 'run') blocks.run(message.block, message.code);
  else if (message.kind === 'stop') blocks.stop(message.block);
  else watcher.postMessage('heard');
});
