/** What is printed is read back the same; golden CometBFT JSON of attacks and blocks where there is some. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { fromHex, toHex } from '../../core/bytes.ts';
import { DecodeError } from '../../core/errors.ts';
import { decodeBlock, encodeBlock } from '../../consensus/types/block.ts';
import { decodeEvidence, encodeEvidence } from '../../consensus/types/evidence.ts';
import { JsonField } from './field.ts';
import { blockJson, evidenceJson } from './print.ts';
import { readBlock, readEvidence } from './read-block.ts';

const vectorsOf = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../test/vectors/cometbft/${name}.json`, import.meta.url), 'utf8'));

const throws = (action: () => unknown): boolean => {
  try {
    action();
    return false;
  } catch {
    return true;
  }
};

/** As it comes over the wire. */
const overTheWire = (json: unknown, path: string): JsonField =>
  new JsonField(JSON.parse(JSON.stringify(json)), path);

describe('evidence', () => {
  const { cases } = vectorsOf('attacks') as { cases: { name: string; evidence: string }[] };
  // The vectors have evidence, too, that has no form to be read.
  const readable = cases.filter(({ evidence }) => !throws(() => decodeEvidence(fromHex(evidence))));
  it.each(readable)('of $name is read as it was printed', ({ evidence: hex }) => {
    const evidence = decodeEvidence(fromHex(hex));
    const read = readEvidence(overTheWire(evidenceJson(evidence), 'evidence'));
    expect(toHex(encodeEvidence(read))).toBe(hex);
  });

  it('of an unknown kind is refused by name and place', () => {
    expect(() => readEvidence(new JsonField({ type: 'tendermint/Other', value: {} }, 'evidence'))).toThrow(
      'evidence.type should be a kind of evidence: "tendermint/Other"',
    );
  });
});

test('no JSON value makes a reader throw anything but a DecodeError', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      for (const read of [readBlock, readEvidence]) {
        try {
          read(new JsonField(value, 'it'));
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }
    }),
  );
});

describe('blocks', () => {
  const found = JSON.stringify(vectorsOf('blocks')).match(/"[0-9a-f]{600,}"/g) ?? [];
  const blocks = found.flatMap((text) => {
    try {
      return [decodeBlock(fromHex(text.slice(1, -1)))];
    } catch {
      return [];
    }
  });

  it('are read as they were printed', () => {
    expect(blocks.length).toBeGreaterThan(0);
    for (const block of blocks) {
      const read = readBlock(overTheWire(blockJson(block), 'block'));
      expect(toHex(encodeBlock(read))).toBe(toHex(encodeBlock(block)));
    }
  });

  it('with one transaction changed are refused', () => {
    const block = blocks.find(({ txs }) => txs.length > 0);
    if (block === undefined) throw new Error('the vectors have no block with transactions');
    const other = { ...block, txs: [...block.txs, Uint8Array.of(1)] };
    expect(() => readBlock(overTheWire(blockJson(other), 'block'))).toThrow('wrong data hash');
  });
});
