/** Small shards of every shape, out of a seed, with what the chain says of their documents. */
import type { ShardCommitment } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { contentRoot } from '../../modules/attribution/verify.ts';
import type { ContributionRecord, FraudChain } from '../../modules/attribution/proof/shard/fraud.ts';
import { type CommitOptions, shardInMemory } from '../../attest/prove/memory.ts';
import type { ShardArrays, ShardReader, SourceDocument } from '../../attest/shard.ts';
import { naiveShard } from '../../attest/testing/naive-shard.ts';
import type { Random } from '../fuzz/random.ts';

/** A right shard, and everything that a watcher of it knows. */
export interface ShardCase {
  readonly sources: readonly SourceDocument[];
  readonly arrays: ShardArrays;
  readonly options: CommitOptions;
  readonly shard: ShardReader;
  readonly content: (document: number) => Uint8Array;
  readonly chain: FraudChain;
  /** What was committed to before the last document was as it is now. */
  readonly stale: ShardCommitment;
}

const WORDS: readonly [string, ...string[]] = [
  'ab ',
  'ab ',
  'ab ',
  'of ',
  'the ',
  'c',
  '\0',
  'ü',
  '語',
  '\n\n',
  '  ',
];

function contentOf(random: Random): Uint8Array {
  switch (random.below(8)) {
    case 0:
      return new Uint8Array(0);
    case 1:
      return random.bytes(1);
    case 2:
      return random.bytes(random.below(300));
    case 3:
      return new Uint8Array(4 * (63 + random.below(3)) - random.below(5)).fill(0x61);
    case 4:
      return new Uint8Array(256 + random.below(9)).fill(0x20);
    default: {
      const words = Array.from({ length: random.below(120) }, () => random.pick(WORDS));
      return new TextEncoder().encode(words.join(''));
    }
  }
}

/** A document of this content; its id and contributor are made up. */
function sourceOf(id: number, content: Uint8Array, indexed: boolean): SourceDocument {
  return {
    contributionId: BigInt(id),
    contributor: new Uint8Array(id % 3 === 0 ? 32 : 20).fill(id % 256),
    root: contentRoot(content),
    content: indexed ? content : undefined,
    byteLength: content.length,
  };
}

/** What the chain says of documents: accepted, unless they are tombstones or withdrawn since. */
function chainOf(
  { datanetId, firstPosition = 0n }: CommitOptions,
  records: readonly ContributionRecord[],
): FraudChain {
  return {
    recordAt: (id, position) => (id === datanetId ? records[Number(position - firstPosition)] : undefined),
  };
}

/** The commitment to a shard whose last document was another. */
function staleCommitment(sources: readonly SourceDocument[], options: CommitOptions): ShardCommitment {
  const before = sourceOf(99, new TextEncoder().encode('as it was before'), true);
  return shardInMemory(naiveShard([...sources.slice(0, -1), before]), options).commitment;
}

/** A shard of one to six documents. */
export function shardCase(random: Random): ShardCase {
  const datanetId = BigInt(1 + random.below(3));
  const contents = Array.from({ length: 1 + random.below(6) }, () => contentOf(random));
  const sources = contents.map((content, i) => sourceOf(100 + i, content, !random.oneIn(6)));
  const salted = random.oneIn(3) ? { saltSecret: random.bytes(32) } : {};
  const entriesPerLeaf = random.oneIn(2) ? 8 : 1;
  const options = { datanetId, firstPosition: BigInt(random.below(5)), entriesPerLeaf, ...salted };
  const arrays = naiveShard(sources);
  const records = sources.map(({ contributionId, contributor, root, byteLength, content }) => ({
    contributionId,
    contributor,
    root,
    byteLength: BigInt(byteLength),
    accepted: content !== undefined && !random.oneIn(5),
  }));
  return {
    sources,
    arrays,
    options,
    shard: shardInMemory(arrays, options),
    content: (document) => contents[document] ?? new Uint8Array(0),
    chain: chainOf(options, records),
    stale: staleCommitment(sources, options),
  };
}
