// Stands for VS Code's native logger in the tests' code-server: the log files, in plain JavaScript.
// Exported one by one: what imports it has to find the names without running it.
const { appendFileSync, mkdirSync } = require("node:fs");
const { dirname } = require("node:path");

const LEVELS = ["trace", "debug", "info", "warn", "error", "critical"];

class Logger {
  constructor(_kind, _name, file) {
    this.file = file;
    this.level = 2;
    mkdirSync(dirname(file), { recursive: true });
    for (const [level, name] of LEVELS.entries()) this[name] = (text) => this.write(level, text);
  }

  write(level, text) {
    if (level < this.level) return;
    try {
      appendFileSync(
        this.file,
        this.bare ? text : `${new Date().toISOString()} [${LEVELS[level]}] ${text}\n`,
      );
    } catch {
      // the folder is gone at the end of a test
    }
  }

  getLevel() {
    return this.level;
  }

  setLevel(level) {
    this.level = level;
  }

  clearFormatters() {
    this.bare = true;
  }

  setPattern() {}
  flush() {}
  drop() {}
}

exports.version = 0;
exports.Logger = Logger;
exports.setLevel = () => {};
exports.setFlushOn = () => {};
exports.shutdown = () => {};
exports.createRotatingLogger = async (name, file) => new Logger("rotating", name, file);
exports.createAsyncRotatingLogger = async (name, file) => new Logger("rotating_async", name, file);
