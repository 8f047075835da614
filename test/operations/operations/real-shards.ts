/** Shards of small Datanets as they are, and as somebody might publish them wrongly. */
import { convict } from '../../../attest/prove/convict.ts';
import { commitLeaves, leavesOfArrays, shardInMemory } from '../../../attest/prove/memory.ts';
import type { ProvableShard } from '../../../attest/prove/prove.ts';
import type { ShardReader } from '../../../attest/shard.ts';
import { naiveShard } from '../../../attest/testing/naive-shard.ts';
import { concatBytes } from '../../../core/bytes.ts';
import { AddressCodec } from '../../../framework/address.ts';
import { encodeFraud } from '../../../modules/attribution/proof/shard/fraud-format.ts';
import type { Contribution } from '../../../proto/gen/openledger/datanet/v1/datanet.ts';
import { PREFIX } from '../actors.ts';
import { documentOf } from './native.ts';

/** Most documents that are indexed in earnest. */
const DOCUMENTS_MAX = 3;
/** Most of them that are kept. */
const KEPT_MAX = 50;
const CODEC = new AddressCodec(PREFIX);
const kept = new Map<string, RealShard>();

/** A shard of all contributions of a snapshot. */
export interface RealShard {
  readonly right: ShardReader;
  /** Two ranks of its inverse array are exchanged. */
  readonly wrong: ProvableShard;
  /** What convicts the wrong one. */
  readonly fraud: Uint8Array;
}

/** The shard of these contributions, from position 0; undefined when they are none or many. */
export function realShard(contributions: readonly Contribution[], datanetId: bigint): RealShard | undefined {
  if (contributions.length === 0 || contributions.length > DOCUMENTS_MAX) return undefined;
  const key = contributions.map(({ id, contributor, title }) => `${id} ${contributor} ${title}`).join();
  const known = kept.get(`${datanetId} ${key}`);
  if (known !== undefined) return known;
  if (kept.size >= KEPT_MAX) kept.clear();
  const made = makeShard(contributions, datanetId);
  kept.set(`${datanetId} ${key}`, made);
  return made;
}

function makeShard(contributions: readonly Contribution[], datanetId: bigint): RealShard {
  const sources = contributions.map(({ id: contributionId, contributor, root, byteLength, title }) => ({
    ...{ contributionId, contributor: CODEC.toBytes(contributor), root },
    ...{ byteLength: Number(byteLength), content: documentOf(title).content },
  }));
  const arrays = naiveShard(sources);
  const leaves = leavesOfArrays(arrays, { datanetId });
  const [first = new Uint8Array(0), ...others] = leaves.inverse;
  const swapped = concatBytes(first.slice(0, 1), first.slice(5, 9), first.slice(1, 5), first.slice(9));
  const wrong = commitLeaves({ ...leaves, inverse: [swapped, ...others] }, arrays, { datanetId });
  const content = (document: number): Uint8Array => sources[document]?.content ?? new Uint8Array(0);
  const fraud = convict({ honest: arrays, accused: wrong, content });
  if (fraud === undefined) throw new RangeError('a wrong shard cannot be convicted');
  return { right: shardInMemory(arrays, { datanetId }), wrong, fraud: encodeFraud(fraud) };
}
