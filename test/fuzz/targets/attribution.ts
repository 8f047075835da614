/** Proofs about indexes of contributions: compact ones, frauds, and the leaves that these show. */
import { readFileSync } from 'node:fs';
import { shardInMemory } from '../../../attest/prove/memory.ts';
import { proveShard } from '../../../attest/prove/prove.ts';
import { rankRange } from '../../../attest/query/search.ts';
import { naiveShard, textDocument } from '../../../attest/testing/naive-shard.ts';
import { fromHex, utf8 } from '../../../core/bytes.ts';
import { LedgerError } from '../../../core/errors.ts';
import { decodeFraud, encodeFraud } from '../../../modules/attribution/proof/shard/fraud-format.ts';
import {
  decodeDocumentLeaf,
  decodeInverseLeaf,
  decodeSuffixLeaf,
  decodeTextLeaf,
  encodeDocumentLeaf,
  encodeInverseLeaf,
  encodeSuffixLeaf,
  encodeTextLeaf,
} from '../../../modules/attribution/proof/shard/leaves.ts';
import { verifyShardProof } from '../../../modules/attribution/proof/shard/verify.ts';
import { tokenise } from '../../../modules/attribution/proof/tokenise.ts';
import type { Target } from '../target.ts';
import { isDecodeError } from './vectors.ts';

const KIB = 1024;

const text = 'the chain holds what the chain holds. '.repeat(9);
const arrays = naiveShard([textDocument(1, text), textDocument(2, 'of the chain ')]);
const shard = shardInMemory(arrays, { datanetId: 1n, entriesPerLeaf: 8 });
const query = tokenise(utf8(text.slice(0, 200)));
const whole = { start: 0, length: query.length };
const once = rankRange(arrays, query);
const often = { start: 0, length: 1, ...rankRange(arrays, query.subarray(0, 1)) };

/** Fraud proofs of the vectors: an array of shards, each with openings in hexadecimal. */
function openings(): readonly Uint8Array[] {
  const file = new URL('../../vectors/attribution/shards.json', import.meta.url);
  const found = readFileSync(file, 'utf8').matchAll(/"bytes": "([0-9a-f]+)"/g);
  return [...found].map(([, hex]) => fromHex(hex ?? ''));
}

interface LeafTarget {
  readonly tree: 'text' | 'suffix' | 'inverse' | 'documents';
  readonly reencode: (bytes: Uint8Array) => Uint8Array;
}

function leafTarget({ tree, reencode }: LeafTarget): Target {
  return {
    name: `attribution/${tree}-leaf`,
    form: 'bytes',
    seeds: [shard.leaf(tree, 0)],
    bytesMax: 2 * KIB,
    read: (bytes) => {
      const encoded = reencode(bytes);
      return () => encoded;
    },
    documented: isDecodeError,
  };
}

const { commitment } = shard;

export const ATTRIBUTION_TARGETS: readonly Target[] = [
  {
    name: 'attribution/shard-proof',
    form: 'bytes',
    seeds: [false, true].flatMap((documents) => [
      proveShard(shard, { query, statements: [{ kind: 'holders', ...whole, ...once }], documents }),
      proveShard(shard, { query, statements: [{ kind: 'count', ...often }], documents }),
    ]),
    bytesMax: 8 * KIB,
    read: (proof) => {
      const { statements } = verifyShardProof({ commitment, query, proof });
      const documents = (proof[0] ?? 0) % 2 === 1;
      return () => proveShard(shard, { query, statements: statements.map((of) => of.statement), documents });
    },
    documented: (error) =>
      isDecodeError(error) || (error instanceof LedgerError && error.code === 'attribution.shard_proof'),
  },
  {
    name: 'attribution/fraud',
    form: 'bytes',
    seeds: openings(),
    bytesMax: 10 * KIB,
    read: (bytes) => {
      const encoded = encodeFraud(decodeFraud(bytes));
      return () => encoded;
    },
    documented: isDecodeError,
  },
  leafTarget({ tree: 'text', reencode: (bytes) => encodeTextLeaf(decodeTextLeaf(commitment, 0, bytes)) }),
  leafTarget({
    tree: 'suffix',
    reencode: (bytes) => encodeSuffixLeaf(decodeSuffixLeaf(commitment, 0, bytes)),
  }),
  leafTarget({
    tree: 'inverse',
    reencode: (bytes) => encodeInverseLeaf(decodeInverseLeaf(commitment, 0, bytes)),
  }),
  leafTarget({
    tree: 'documents',
    reencode: (bytes) => encodeDocumentLeaf(decodeDocumentLeaf(commitment, 0, bytes)),
  }),
];
