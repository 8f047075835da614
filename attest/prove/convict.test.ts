import { expect, test } from 'vitest';
import { utf8 } from '../../core/bytes.ts';
import { verifyFraud } from '../../modules/attribution/proof/shard/fraud.ts';
import { encodeTextLeaf } from '../../modules/attribution/proof/shard/leaves.ts';
import { naiveShard, textDocument } from '../testing/naive-shard.ts';
import { convict } from './convict.ts';
import {
  type CommitOptions,
  commitLeaves,
  leavesOfArrays,
  type ShardLeaves,
  shardInMemory,
} from './memory.ts';

const OPTIONS: CommitOptions = { datanetId: 1n };

/** Kinds of the proofs that convict leaves of `tokens` tokens, by arrays alone and with trees; each is verified. */
function convictions(texts: readonly string[], leaves: ShardLeaves, tokens: number): readonly string[] {
  const arrays = naiveShard(texts.map((text, i) => textDocument(i, text)));
  const accused = commitLeaves(leaves, { tokens, documents: texts.length }, OPTIONS);
  const recordAt = (_: bigint, position: bigint) => {
    const document = arrays.document(Number(position));
    return { ...document, byteLength: BigInt(document.byteLength), accepted: true };
  };
  return [arrays, shardInMemory(arrays, OPTIONS)].map((honest) => {
    const fraud = convict({ honest, accused, content: (document) => utf8(texts[document] ?? '') });
    if (fraud === undefined) return 'none';
    verifyFraud(accused.commitment, fraud, { recordAt });
    return fraud.kind;
  });
}

function leavesOf(texts: readonly string[]): ShardLeaves {
  return leavesOfArrays(naiveShard(texts.map((text, i) => textDocument(i, text))), OPTIONS);
}

test('right leaves are right', () => {
  const texts = ['to be', ''];
  expect(convictions(texts, leavesOf(texts), 4)).toEqual(['none', 'none']);
});

test('a leaf more, whose head names the last document', () => {
  const texts = ['aaaa'.repeat(63)];
  const { text, suffix, inverse, documents } = leavesOf(texts);
  const more = encodeTextLeaf({ document: 0, offset: 252, tokens: [1], salt: new Uint8Array(0) });
  const leaves = {
    text: [...text, more],
    suffix: [...suffix, ...suffix.slice(0, 1)],
    inverse: [...inverse, ...inverse.slice(0, 1).map((leaf) => leaf.slice(0, 5))],
    documents,
  };
  expect(convictions(texts, leaves, 65)).toEqual(['document-range', 'document-range']);
});

test('right leaves of documents, of which most tokens are left out', () => {
  const texts = ['aaaa'.repeat(30), 'bbbb'.repeat(30)];
  const short = leavesOf(texts.map((text) => text.slice(0, 12)));
  const leaves = { ...short, documents: leavesOf(texts).documents };
  expect(convictions(texts, leaves, 8)).toEqual(['malformed-leaf', 'malformed-leaf']);
});

test('right leaves, and a smaller number of tokens', () => {
  const texts = ['aaaa'.repeat(70)];
  const right = leavesOf(texts);
  const leaves = { ...right, suffix: right.suffix.slice(0, 68) };
  expect(convictions(texts, leaves, 68)).toEqual(['malformed-leaf', 'malformed-leaf']);
});
