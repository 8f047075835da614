import { expect, test } from 'vitest';
import { concatBytes, toHex, utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { Claim } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { appendLeaf, sumLeaf, type NodeLookup, sumRoot } from '../datanet/sum-tree.ts';
import type { SumNode } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import { contentRoot, coverageWeights, provableContent, proveSpan } from './verify.ts';

/** Bytes that only depend on their number. */
function contentOf(length: number): Uint8Array {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, i) => sha256(utf8(`${length}/${i}`)));
  return concatBytes(...blocks).subarray(0, length);
}

// A change of these digests is a change of what is signed, stored and hashed: a hard fork. Never adjust one
// silently. Those of content roots and merkle-sum roots were also computed by a second program, written in
// another language from the definitions in the READMEs of attribution and datanet.
test('content roots of 1 to 2,000 bytes are what they were', () => {
  const roots = Array.from({ length: 2000 }, (_, i) => contentRoot(contentOf(i + 1)));
  expect(toHex(sha256(concatBytes(...roots)))).toBe(
    '1a4e053784ccf240389052795c5f6c9d2f5f1ecf9dee100adb4917d796f23b9e',
  );
});

test('encoded claims over all alignments of a span are what they were', () => {
  const source = provableContent(contentOf(1800));
  const claims = Array.from({ length: 600 }, (_, i) => {
    const span = {
      contributionId: BigInt(i),
      source,
      answerOffset: i,
      sourceOffset: i * 2,
      length: 1 + ((i * 7) % 590),
    };
    return sha256(Claim.encode(Claim.create({ spans: [proveSpan(span)] })));
  });
  expect(toHex(sha256(concatBytes(...claims)))).toBe(
    '204452bcae653506a6d624dc1105ffde02be1e103404836bbe851d5243330e1d',
  );
});

test('merkle-sum roots of 1 to 200 leaves are what they were', () => {
  const nodes = new Map<string, SumNode>();
  const stored: NodeLookup = (level, index) =>
    nodes.get(`${level}/${index}`) ?? { hash: new Uint8Array(0), sum: 0n };
  const roots: Uint8Array[] = [];
  for (let i = 0; i < 200; i++) {
    const leaf = sumLeaf({
      contributionId: BigInt(i + 1),
      weight: BigInt(i * i),
      root: sha256(utf8(`${i}`)),
    });
    for (const { level, index, node } of appendLeaf(leaf, BigInt(i), stored))
      nodes.set(`${level}/${index}`, node);
    roots.push(sumRoot(BigInt(i + 1), stored).hash);
  }
  expect(toHex(sha256(concatBytes(...roots)))).toBe(
    '38a46f03f07ae9ba23535a0f15bad07b67d8e49eeebd154e9a00bd992f81d06c',
  );
});

test('weights of overlapping spans are what they were', () => {
  const spans = Array.from({ length: 40 }, (_, i) => ({
    owner: BigInt(i % 7),
    start: i * 5,
    end: i * 5 + 30 + (i % 11),
  }));
  const text = (coverageWeights(spans) ?? []).map(({ owner, weight }) => `${owner}:${weight}`).join(' ');
  expect(toHex(sha256(utf8(text)))).toBe('c005766c385bfa8f491896b5664d3575deeba52a88daf046fd27ebe0e73f5bde');
});
