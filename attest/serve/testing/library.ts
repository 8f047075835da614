/** A small library and a chain that says what a test wants it to. */
import { ATTRIBUTION_PARAMS } from './params.ts';
import type { ShardCommitment } from '../../../proto/gen/openledger/attribution/v1/attribution.ts';
import { AttributionMethod, Model } from '../../../proto/gen/openledger/models/v1/models.ts';
import { Snapshot } from '../../../proto/gen/openledger/datanet/v1/datanet.ts';
import { shardInMemory } from '../../prove/memory.ts';
import { naiveShard, textDocument } from '../../testing/naive-shard.ts';
import type { AttributionScope, ServeChain } from '../ports.ts';
import { ShardLibrary } from '../shard-library.ts';

/** The texts of the library, contributions 1, 2, 3 … */
export const TEXTS: readonly string[] = [
  'We choose to go to the moon in this decade and do the other things, not because they are easy.',
  'Four score and seven years ago our fathers brought forth on this continent a new nation.',
  'It was the best of times, it was the worst of times, it was the age of wisdom.',
];

/** One shard of all texts, in Datanet 1. */
export function smallLibrary(saltSecret?: Uint8Array): ShardLibrary {
  const shard = naiveShard(TEXTS.map((text, i) => textDocument(i + 1, text)));
  const salted = saltSecret === undefined ? {} : { saltSecret };
  return new ShardLibrary([shardInMemory(shard, { datanetId: 1n, ...salted })]);
}

/** Model 1 over the first so many texts; there is no other. */
export function smallChain(count: number = TEXTS.length): ServeChain {
  const scope: AttributionScope = {
    model: Model.create({
      id: 1n,
      snapshotIds: [1n],
      attributionMethod: AttributionMethod.ATTRIBUTION_METHOD_SPAN,
    }),
    indexes: [],
    cards: [],
    snapshots: [Snapshot.create({ id: 1n, datanetId: 1n, count: BigInt(count) })],
    params: ATTRIBUTION_PARAMS,
  };
  return {
    scopeOf: async (modelId) => (modelId === 1n ? scope : undefined),
    contribution: async () => undefined,
  };
}

/** The same with a policy that pays for provenance, and index 7 of these shards, which have the numbers 5, 6 … */
export function policyChain(commitments: readonly ShardCommitment[]): ServeChain {
  const model = Model.create({
    id: 1n,
    snapshotIds: [1n],
    attributionMethod: AttributionMethod.ATTRIBUTION_METHOD_POLICY,
    attributionPolicy: { tokenBps: 10_000, influenceBps: 0, retrievalBps: 0, bondedClaimsOnly: false },
  });
  const shards = commitments.map((commitment, i) => ({ id: BigInt(5 + i), commitment }));
  const chain = smallChain();
  return {
    ...chain,
    async scopeOf(modelId) {
      const scope = await chain.scopeOf(modelId);
      return scope && { ...scope, model, indexes: [{ id: 7n, snapshotId: 1n, shards }] };
    },
  };
}
