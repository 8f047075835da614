/** What `test/vectors/attribution/shards.json` holds, made anew: commitments, proofs and frauds of small shards. */
import { toHex, utf8 } from '../../core/bytes.ts';
import { encodeFraud, type FraudStatement } from '../../modules/attribution/proof/shard/fraud-format.ts';
import type { ShardStatement } from '../../modules/attribution/proof/shard/format.ts';
import { shardId } from '../../modules/attribution/proof/shard/commitment.ts';
import { tokenise } from '../../modules/attribution/proof/tokenise.ts';
import { fraudAt, openLeaves } from '../prove/fraud-at.ts';
import { type CommitOptions, shardInMemory } from '../prove/memory.ts';
import { proveShard } from '../prove/prove.ts';
import { secretOfShard } from '../prove/salts.ts';
import { rankRange } from '../query/search.ts';
import type { ShardReader, SourceDocument } from '../shard.ts';
import { naiveShard, textDocument, tombstoneDocument } from './naive-shard.ts';

const LONG = 'the index of the Datanet holds what the Datanet holds. '.repeat(12);

/** Of the salted index. */
const SECRET = utf8('secret');

const SHARDS: readonly { readonly sources: readonly SourceDocument[]; readonly options: CommitOptions }[] = [
  { sources: [textDocument(1, '')], options: { datanetId: 1n } },
  {
    sources: [textDocument(1, 'to be or not to be'), tombstoneDocument(2, 'gone'), textDocument(3, 'or be')],
    options: { datanetId: 7n, firstPosition: 5n, entriesPerLeaf: 8 },
  },
  {
    sources: [textDocument(9, LONG), textDocument(10, 'ü語\0 x'), textDocument(11, LONG.slice(30, 400))],
    options: { datanetId: 2n ** 64n - 1n, saltSecret: SECRET },
  },
];

const QUERIES = [
  'to be',
  'Datanet holds what the Datanet holds. the index of the Datanet holds what the',
  'zebra',
];

const STATEMENTS: readonly FraudStatement[] = ['permutation', 'suffix-order', 'text-token', 'document-range'];

function proofsOf(shard: ShardReader): readonly object[] {
  return QUERIES.map((text) => {
    const query = tokenise(utf8(text));
    const { length } = query;
    const { lo, hi } = rankRange(shard, query);
    const statements: ShardStatement[] = [{ kind: 'count', start: 0, length, lo, hi }];
    if (lo < hi) statements.push({ kind: 'holders', start: 0, length, lo, hi });
    if (lo < hi) statements.push({ kind: 'occurrence', start: 0, length, lo, hi: lo + 1 });
    const documents = text === QUERIES[0];
    const proof = toHex(proveShard(shard, { query, statements, documents }));
    return { query: text, statements, documents, proof };
  });
}

/** Openings of statements that hold, so that they convict nothing: their form is what is kept. */
function openingsOf(shard: ShardReader, sources: readonly SourceDocument[]): readonly object[] {
  const content = (index: number): Uint8Array => sources[index]?.content ?? new Uint8Array(0);
  return STATEMENTS.flatMap((kind) => {
    if (kind === 'suffix-order' && shard.tokens < 2) return [];
    return [{ kind, at: 0, bytes: toHex(encodeFraud(fraudAt(shard, { kind, at: 0 }, content))) }];
  });
}

/** The form of a fraud of salts, which convicts nothing. */
function saltOpeningOf(shard: ShardReader): readonly object[] {
  if (!shard.commitment.salted) return [];
  const [tree, secret] = ['documents', secretOfShard(SECRET, shard.commitment)] as const;
  const fraud = { kind: 'salt', tree, secret, opened: openLeaves(shard, tree, [1]) } as const;
  return [{ kind: 'salt', tree, at: 1, bytes: toHex(encodeFraud(fraud)) }];
}

/** All vectors. */
export function shardVectors(): readonly object[] {
  return SHARDS.map(({ sources, options }) => {
    const shard = shardInMemory(naiveShard(sources), options);
    const { commitment } = shard;
    return {
      documents: sources.map(({ contributionId, contributor, root, byteLength, content }) => ({
        contributionId: String(contributionId),
        contributor: toHex(contributor),
        root: toHex(root),
        byteLength,
        content: content === undefined ? null : toHex(content),
      })),
      datanetId: String(commitment.datanetId),
      firstPosition: String(commitment.firstPosition),
      tokens: commitment.tokens,
      entriesPerLeaf: commitment.entriesPerLeaf,
      saltSecret: toHex(options.saltSecret ?? new Uint8Array(0)),
      saltCommitment: toHex(commitment.saltCommitment),
      textRoot: toHex(commitment.textRoot),
      suffixRoot: toHex(commitment.suffixRoot),
      inverseRoot: toHex(commitment.inverseRoot),
      documentRoot: toHex(commitment.documentRoot),
      id: toHex(shardId(commitment)),
      proofs: proofsOf(shard),
      openings: [...openingsOf(shard, sources), ...saltOpeningOf(shard)],
    };
  });
}
