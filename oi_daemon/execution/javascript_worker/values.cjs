// Describes values without running any code of the user's: no getter, no proxy's trap, no method that
// a block may have replaced. So all that is needed is taken from the builtins here, before a block runs.
'use strict';

const { isDate, isMap, isNativeError, isPromise, isProxy, isRegExp, isSet, isTypedArray } = require('node:util').types;

const { call } = Function.prototype;
/** Return a method as a function whose first argument is the object. */
const uncurried = (method) => call.bind(method);
const getter = (prototype, name) => uncurried(Object.getOwnPropertyDescriptor(prototype, name).get);

const { getOwnPropertyDescriptor, getOwnPropertyNames, getPrototypeOf } = Object;
const { isArray } = Array;
const { stringify } = JSON;
const slice = uncurried(String.prototype.slice);
const indexOf = uncurried(String.prototype.indexOf);
const split = uncurried(String.prototype.split);
const join = uncurried(Array.prototype.join);
const source = uncurried(Function.prototype.toString);
const isoDate = uncurried(Date.prototype.toISOString);
const pattern = getter(RegExp.prototype, 'source');
const mapSize = getter(Map.prototype, 'size');
const setSize = getter(Set.prototype, 'size');
const mapEntries = uncurried(Map.prototype.entries);
const setValues = uncurried(Set.prototype.values);
const nextOfMap = uncurried(getPrototypeOf(new Map().entries()).next);
const nextOfSet = uncurried(getPrototypeOf(new Set().values()).next);
const typedLength = getter(getPrototypeOf(Uint8Array.prototype), 'length');
const symbolText = uncurried(Symbol.prototype.toString);
const PROTOTYPES = {
  __proto__: null,
  string: String.prototype,
  number: Number.prototype,
  bigint: BigInt.prototype,
  boolean: Boolean.prototype,
  symbol: Symbol.prototype,
};

const LONGEST = 120; // characters of a preview
const CHARACTERS = 80; // most characters of a text that are shown
const ITEMS = 8; // most items of a container that are shown
const DEPTH = 2; // most levels of containers in containers that are shown
const CHAIN = 20; // most prototypes of an object that are looked at
const LARGE = 2n ** 256n; // larger numbers are not converted to digits

/** Return the value of a property that the object itself has as data; undefined if it has none. */
function own(object, name) {
  return isProxy(object) ? undefined : getOwnPropertyDescriptor(object, name)?.value;
}

/** Return an object and its prototypes, as far as they can be known without a proxy's trap. */
function chain(value) {
  const found = [];
  const isObject = value !== null && (typeof value === 'object' || typeof value === 'function');
  let object = isObject ? value : PROTOTYPES[typeof value];
  while (object && !isProxy(object) && found.length < CHAIN) {
    found[found.length] = object;
    object = getPrototypeOf(object);
  }
  return found;
}

/** Return the value of a property that is data; undefined if there is none, or if a getter has it. */
function property(value, name) {
  const objects = chain(value);
  for (let i = 0; i < objects.length; i += 1) {
    const found = getOwnPropertyDescriptor(objects[i], name);
    if (found) return found.value;
  }
  return undefined;
}

/** Return the name of a value's type. */
function typeName(value) {
  if (value === null) return 'null';
  if (typeof value === 'function') return isClass(value) ? 'class' : 'function';
  if (typeof value !== 'object') return typeof value;
  if (isProxy(value)) return 'Proxy';
  const objects = chain(value);
  for (let i = 0; i < objects.length; i += 1) {
    const made = own(objects[i], 'constructor');
    const name = typeof made === 'function' ? own(made, 'name') : undefined;
    if (typeof name === 'string' && name) return slice(name, 0, CHARACTERS);
  }
  return 'Object';
}

function isClass(value) {
  return !isProxy(value) && slice(source(value), 0, 5) === 'class';
}

/** Return how many items or characters a value has; undefined if it is no container. */
function size(value) {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null || isProxy(value)) return undefined;
  if (isArray(value)) return own(value, 'length');
  if (isTypedArray(value)) return typedLength(value);
  if (isMap(value)) return mapSize(value);
  return isSet(value) ? setSize(value) : undefined;
}

/** Return a text for a value, on one line. */
function preview(value) {
  const text = oneLine(textOf(value, DEPTH));
  return text.length <= LONGEST ? text : `${slice(text, 0, LONGEST - 1)}…`;
}

function oneLine(text) {
  return indexOf(text, '\n') < 0 ? text : join(split(text, '\n'), ' ');
}

function textOf(value, depth) {
  switch (typeof value) {
    case 'string':
      return `${stringify(slice(value, 0, CHARACTERS))}${value.length > CHARACTERS ? '…' : ''}`;
    case 'bigint':
      return value < LARGE && value > -LARGE ? `${value}n` : 'a large integer';
    case 'symbol':
      return symbolText(value);
    case 'function':
      return signature(value);
    case 'object':
      return value === null ? 'null' : objectText(value, depth);
    default:
      return `${value}`;
  }
}

/** Return the name and the parameters of a function, or the name of a class. */
function signature(value) {
  if (isProxy(value)) return 'Proxy';
  const name = own(value, 'name');
  const shown = typeof name === 'string' ? slice(name, 0, CHARACTERS) : '';
  if (isClass(value)) return `class ${shown}`;
  const text = slice(source(value), 0, 4 * CHARACTERS);
  const start = indexOf(text, '(');
  const arrow = indexOf(text, '=>');
  if (arrow >= 0 && (start < 0 || arrow < start)) return `${shown}(${slice(text, 0, arrow - 1)})`;
  let depth = 0;
  for (let i = start; i >= 0 && i < text.length; i += 1) {
    if (text[i] === '(') depth += 1;
    if (text[i] === ')') depth -= 1;
    if (depth === 0) return `${shown}${oneLine(slice(text, start, i + 1))}`;
  }
  return `${shown}(…)`;
}

function objectText(value, depth) {
  if (isProxy(value)) return 'Proxy';
  const name = typeName(value);
  if (isNativeError(value)) return `${name}: ${textOf(own(value, 'message') ?? '', depth)}`;
  if (isDate(value)) return date(value);
  if (isRegExp(value)) return `/${slice(pattern(value), 0, CHARACTERS)}/`;
  if (isPromise(value)) return 'Promise';
  if (depth <= 0) return isArray(value) ? '[…]' : '{…}';
  if (isArray(value)) return `[${items(value, own(value, 'length'), depth)}]`;
  if (isTypedArray(value)) return `${name} [${items(value, typedLength(value), depth)}]`;
  if (isMap(value)) return `Map {${entries(mapEntries(value), nextOfMap, depth)}}`;
  if (isSet(value)) return `Set {${entries(setValues(value), nextOfSet, depth)}}`;
  return `${name === 'Object' ? '' : `${name} `}{${properties(value, depth)}}`;
}

function date(value) {
  try {
    return isoDate(value);
  } catch {
    return 'an invalid date';
  }
}

function items(array, length, depth) {
  const parts = [];
  for (let i = 0; i < length && i < ITEMS; i += 1) {
    const found = getOwnPropertyDescriptor(array, `${i}`);
    parts[i] = found ? ('value' in found ? textOf(found.value, depth - 1) : '…') : 'empty';
  }
  if (length > ITEMS) parts[ITEMS] = '…';
  return join(parts, ', ');
}

function entries(iterator, next, depth) {
  let text = '';
  for (let i = 0; i <= ITEMS; i += 1) {
    const { done, value } = next(iterator);
    if (done) break;
    if (i === ITEMS) return `${text}, …`;
    const shown = next === nextOfMap ? `${textOf(value[0], 0)} => ${textOf(value[1], depth - 1)}` : textOf(value, depth - 1);
    text += `${i ? ', ' : ''}${shown}`;
  }
  return text;
}

function properties(object, depth) {
  const names = getOwnPropertyNames(object);
  let text = '';
  for (let i = 0; i < names.length; i += 1) {
    if (i === ITEMS) return `${text}, …`;
    const found = getOwnPropertyDescriptor(object, names[i]);
    const shown = found && 'value' in found ? textOf(found.value, depth - 1) : '…';
    text += `${i ? ', ' : ''}${names[i]}: ${shown}`;
  }
  return text;
}

/** Return what a value is, in a word, for completions. */
function kindOf(descriptor) {
  if (!descriptor || !('value' in descriptor)) return 'property';
  if (typeof descriptor.value !== 'function') return 'variable';
  return isClass(descriptor.value) ? 'class' : 'function';
}

module.exports = { chain, kindOf, preview, property, signature, size, typeName };
