/** The compiled module is that of the sources, and does what TypeScript does, to the byte. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sha256 } from '../../core/hash.ts';
import { suffixArray } from '../index/sais.ts';
import { fibonacciWord, thueMorseWord } from '../index/testing/texts.ts';
import { bytesFile, compileModule } from './compile.ts';
import { instantiate } from './module.ts';
import { wasmSuffixArray } from './suffix-array.ts';

test('the sources compile to the bytes that are kept', async () => {
  const kept = readFileSync(join(import.meta.dirname, 'module-bytes.ts'), 'utf8');
  expect(bytesFile(await compileModule())).toBe(kept);
});

describe('suffix arrays', () => {
  test.each([
    ['nothing', new Uint32Array(0)],
    ['one token', Uint32Array.of(5)],
    ['all equal', new Uint32Array(1000).fill(9)],
    ['Fibonacci word', fibonacciWord(20_000)],
    ['Thue-Morse word', thueMorseWord(1 << 14)],
    ['runs', Uint32Array.from({ length: 5000 }, (_, i) => Math.floor(Math.sqrt(i)) % 3)],
    ['many symbols', Uint32Array.from({ length: 50_000 }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 17)],
  ])('%s', (_name, text) => {
    const stages: string[] = [];
    const sa = wasmSuffixArray(text, ({ stage, level, tokens }) =>
      stages.push(`${stage} ${level} ${tokens}`),
    );
    const expected: string[] = [];
    expect(sa).toEqual(
      suffixArray(text, ({ stage, level, tokens }) => expected.push(`${stage} ${level} ${tokens}`)),
    );
    expect(stages).toEqual(expected);
  });

  test('random texts', () => {
    const tokens = fc.constantFrom(1, 3, 0xffffffff).chain((max) => fc.array(fc.integer({ min: 0, max })));
    fc.assert(
      fc.property(tokens, (list) => {
        const text = Uint32Array.from(list);
        expect(wasmSuffixArray(text)).toEqual(suffixArray(text));
      }),
    );
  });
});

describe('hashes', () => {
  const module = instantiate();
  if (module === undefined) throw new Error('this machine cannot run the module');
  const [messages, blocks, out] = [module.base, module.base + 60_000, module.base + 70_000];
  const memory = new Uint8Array(module.memoryTo(module.base + 80_000));

  test('messages of all lengths, in any company', () => {
    const list = fc.array(fc.uint8Array({ minLength: 0, maxLength: 400 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(list, (texts) => {
        let at = messages;
        for (const [i, text] of texts.entries()) {
          const count = Math.ceil((text.length + 9) / 64);
          memory.fill(0, at, at + 64 * count);
          memory.set([...text, 0x80], at);
          new DataView(memory.buffer).setUint32(at + 64 * count - 4, 8 * text.length);
          memory[blocks + i] = count;
          at += 64 * count;
        }
        module.hashMessages({ messages, blocks, count: texts.length, out });
        const hashes = texts.map((_, i) => memory.slice(out + 32 * i, out + 32 * (i + 1)));
        expect(hashes).toEqual(texts.map((text) => sha256(text)));
      }),
    );
  });

  test('inner nodes of levels of all sizes, in place too', () => {
    for (let count = 1; count <= 37; count++) {
      const hashes = Uint8Array.from({ length: 32 * count }, (_, i) => (i * i + count) % 251);
      const expected = Array.from({ length: Math.ceil(count / 2) }, (_, i) => {
        const pair = hashes.subarray(64 * i, 64 * (i + 1));
        return pair.length === 32 ? pair : sha256(Uint8Array.of(1, ...pair));
      });
      for (const to of [out, messages]) {
        memory.set(hashes, messages);
        module.hashPairs({ hashes: messages, count, out: to });
        expect(memory.slice(to, to + 32 * expected.length)).toEqual(
          Uint8Array.from(expected.flatMap((x) => [...x])),
        );
      }
    }
  });
});
