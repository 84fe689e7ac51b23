// Answers lookups in the main thread: the watcher has them evaluated, also while a block runs.
//
// Answers are JSON that is put together by hand, because `JSON.stringify` would call a `toJSON` of the user's.
'use strict';

const { chain, kindOf, preview, property, signature, size, typeName } = require('./values.cjs');

const { getOwnPropertyDescriptor, getOwnPropertyNames } = Object;
const { stringify } = JSON;
const slice = Function.prototype.call.bind(String.prototype.slice);
const has = Function.prototype.call.bind(Set.prototype.has);

const UNKNOWN = {}; // stands for a value that cannot be known

class Lookups {
  constructor() {
    this._builtin = new Set(getOwnPropertyNames(globalThis)); // names that are not the user's
  }

  /** Return the variables. `declared` has a function for each name of `let`, `const` and `class` that reads it. */
  variables(declared, limit) {
    let data = '';
    let definitions = '';
    const names = this._names(declared);
    for (let i = 0; i < names.length && i < limit; i += 1) {
      const value = this._value(declared, names[i]);
      if (typeof value === 'function') definitions += `,${entry(names[i], value)}`;
      else data += `,${entry(names[i], value)}`;
    }
    return `{"variables":[${slice(data + definitions, 1)}],"more":${names.length > limit ? names.length - limit : 0}}`;
  }

  /** Return the names of a value's properties with their kinds; of all variables if there is no path. */
  members(declared, path) {
    const found = { __proto__: null };
    if (path.length === 0) {
      const names = this._names(declared);
      for (let i = 0; i < names.length; i += 1) {
        found[names[i]] = kindOf({ value: this._value(declared, names[i]) });
      }
    }
    const value = path.length ? this._at(declared, path) : globalThis;
    const objects = value === UNKNOWN ? [] : chain(value);
    for (let i = 0; i < objects.length; i += 1) {
      const names = getOwnPropertyNames(objects[i]);
      for (let j = 0; j < names.length; j += 1) {
        found[names[j]] ??= kindOf(getOwnPropertyDescriptor(objects[i], names[j]));
      }
    }
    return object(found);
  }

  /** Return the description of a value; an empty text if it is not known. */
  describe(declared, path) {
    const value = this._at(declared, path);
    if (value === UNKNOWN || value === undefined) return '""';
    const name = path[path.length - 1];
    if (typeof value === 'function') return stringify(`${signature(value) || name}`);
    return stringify(`${name}: ${typeName(value)} = ${preview(value)}`);
  }

  _names(declared) {
    const names = getOwnPropertyNames(declared);
    const globals = getOwnPropertyNames(globalThis);
    for (let i = 0; i < globals.length; i += 1) {
      if (!has(this._builtin, globals[i])) names[names.length] = globals[i];
    }
    return names;
  }

  /** Return a variable's value; UNKNOWN if it is not initialized, or if a getter has it. */
  _value(declared, name) {
    if (declared[name]) {
      try {
        return declared[name]();
      } catch {
        return UNKNOWN;
      }
    }
    const found = getOwnPropertyDescriptor(globalThis, name);
    return found && 'value' in found ? found.value : UNKNOWN;
  }

  _at(declared, path) {
    let value = this._value(declared, path[0]);
    for (let i = 1; i < path.length && value !== UNKNOWN && value !== undefined; i += 1) value = property(value, path[i]);
    return value;
  }
}

function entry(name, value) {
  const type = value === UNKNOWN ? 'unknown' : typeName(value);
  const text = value === UNKNOWN ? '…' : preview(value);
  const count = value === UNKNOWN ? undefined : size(value);
  const length = count === undefined ? '' : `,"size":${count}`;
  return `{"name":${stringify(name)},"type":${stringify(type)},"language":"javascript","preview":${stringify(text)}${length}}`;
}

/** Return an object whose values are texts as JSON. */
function object(texts) {
  let text = '';
  for (const name in texts) text += `${text ? ',' : ''}${stringify(name)}:${stringify(texts[name])}`;
  return `{${text}}`;
}

module.exports = { Lookups };
