import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, JsonReader, type JsonValue, parseJson } from './json.ts';

const json: fc.Arbitrary<JsonValue> = fc
  .jsonValue({ maxDepth: 5 })
  .filter(isClean)
  .map((value) => parseJson(JSON.stringify(value)));

/** JSON has no minus zero. */
function isClean(value: unknown): boolean {
  return !JSON.stringify(value, (_, item: unknown) => (Object.is(item, -0) ? 'minus zero' : item)).includes(
    'minus zero',
  );
}

function reader(value: JsonValue): JsonReader {
  return new JsonReader(value, 'root');
}

describe('canonical JSON', () => {
  it('says the same as the value, with or without indentation', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(value);
        expect(JSON.parse(canonicalJson(value, { indent: 2 }))).toEqual(value);
        expect(canonicalJson(parseJson(JSON.stringify(value)))).toBe(canonicalJson(value));
      }),
    );
  });

  it('escapes of all characters exactly those that Go escapes', () => {
    const short = new Map(
      Object.entries({ '"': '\\"', '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }),
    );
    short.set('\b', '\\b').set('\f', '\\f');
    for (let code = 0; code < 0x1_0000; code++) {
      const character = String.fromCharCode(code);
      const isEscaped = code < 0x20 || '&<>\u2028\u2029'.includes(character);
      const long = isEscaped ? `\\u${code.toString(16).padStart(4, '0')}` : character;
      const expected = `"a${short.get(character) ?? long}z"`;
      if (canonicalJson(`a${character}z`) !== expected)
        expect(canonicalJson(`a${character}z`)).toBe(expected);
    }
  });

  it('sorts keys and escapes as Go does', () => {
    expect(canonicalJson({ b: 1, a: [], Z: { y: null, x: true } })).toBe(
      '{"Z":{"x":true,"y":null},"a":[],"b":1}',
    );
    expect(canonicalJson('<&>\u2028\u2029\u0001\n"\\')).toBe(
      '"\\u003c\\u0026\\u003e\\u2028\\u2029\\u0001\\n\\"\\\\"',
    );
  });

  it('is laid out one member a line when indented', () => {
    expect(canonicalJson({ a: [1, { b: 2 }], c: {} }, { indent: 2 })).toBe(
      '{\n  "a": [\n    1,\n    {\n      "b": 2\n    }\n  ],\n  "c": {}\n}',
    );
  });
});

describe('a JSON reader', () => {
  it.each<[string, () => unknown, string]>([
    ['a missing member', () => reader({}).member('a').member('b').text(), 'root.a: is missing'],
    [
      'a number for text',
      () =>
        reader({ a: [{ b: 1 }] })
          .member('a')
          .elements()[0]
          ?.member('b')
          .text(),
      'root.a[0].b: is not text',
    ],
    ['a list for an object', () => reader([]).member('a'), 'root: is not an object'],
    ['an object for a list', () => reader({}).elements(), 'root: is not a list'],
    ['text for a boolean', () => reader('true').boolean(), 'root: is neither true nor false'],
    ['a fraction', () => reader(1.5).integer(), 'root: is not an integer'],
    ['an exponent', () => reader('1e5').integer(), 'root: is not an integer'],
    ['a leading zero', () => reader('007').integer(), 'root: is not an integer'],
    ['an unsafe number', () => reader(2 ** 60).integer(), 'root: is not an integer'],
    [
      'a number over 64 bits',
      () => reader('18446744073709551616').uint64(),
      'root: is not an unsigned 64-bit number',
    ],
    ['a negative number', () => reader('-1').uint64(), 'root: is not an unsigned 64-bit number'],
    ['bad base64', () => reader('a').base64(), 'root: base64 text is not a multiple of four'],
    ['an unknown member', () => reader({ x: 1 }).onlyMembers('y'), 'root.x: is not a known field'],
    ['an inherited member', () => reader({}).member('toString').text(), 'root.toString: is missing'],
  ])('names the place of %s', (_, read, message) => {
    expect(read).toThrow(message);
  });

  it('takes null and nothing for an empty list', () => {
    expect(reader({ a: null }).member('a').elements()).toEqual([]);
    expect(reader({}).member('a').elements()).toEqual([]);
  });
});
