// The ways in which the user's code ends the process: `process.exit`, which ends only the block, and signals.
'use strict';

const { process } = globalThis; // a constant, because a block may redefine the global

/** Replace `process.exit`, `process.reallyExit` and `process.kill`. */
function installEnds(blocks, output) {
  let exiting = false; // while the listeners of 'exit' run
  process.exit = (code) => {
    if (code !== undefined) process.exitCode = code;
    const nested = exiting;
    exiting = true;
    if (!nested) runListeners(blocks);
    exiting = false;
    const status = process.exitCode ?? 0;
    if (blocks.current) {
      process.exitCode = undefined;
      blocks.exit(status);
    }
    process.reallyExit(status);
  };
  const { kill, reallyExit } = process;
  process.reallyExit = (status) => {
    leave(blocks, output);
    reallyExit.call(process, status);
  };
  process.kill = (pid, signal) => {
    if (pid === process.pid && signal !== 0) leave(blocks, output);
    return kill.call(process, pid, signal);
  };
}

/** Run the listeners of 'exit', for the only time. */
function runListeners(blocks) {
  try {
    process.emit('exit', process.exitCode ?? 0);
  } catch (error) {
    blocks.report(error, 'Uncaught ');
  }
  process.removeAllListeners('exit');
}

/** Prepare for the end of the process. */
function leave(blocks, output) {
  output.flush();
  blocks.detach();
}

module.exports = { installEnds };
