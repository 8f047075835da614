/** What serving needs of the chain; `cli/attest` joins them to a node's RPC. */
import type { Params, ShardCommitment } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import type { Contribution, Snapshot } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import type { Model } from '../../proto/gen/openledger/models/v1/models.ts';

/** An index that claims may rest on. */
export interface ActiveIndex {
  readonly id: bigint;
  readonly snapshotId: bigint;
  readonly shards: readonly { readonly id: bigint; readonly commitment: ShardCommitment }[];
}

/** A model card that claims may rest on. */
export interface ActiveCard {
  /** Its number on the chain. */
  readonly id: bigint;
  /** Id of its bytes in hexadecimal: proof/influence/card.ts. */
  readonly key: string;
}

/** A model, and what it may be attributed to. */
export interface AttributionScope {
  readonly model: Model;
  readonly snapshots: readonly Snapshot[];
  /** Active indexes of the snapshots; asked for only where the model's policy pays for provenance. */
  readonly indexes: readonly ActiveIndex[];
  /** Active cards of the model, ascending; asked for only where its policy pays for influence. */
  readonly cards: readonly ActiveCard[];
  readonly params: Params;
}

/** Answers from the chain. */
export interface ServeChain {
  /** Undefined when there is no such model. Rejects when no node answers. */
  scopeOf(modelId: bigint): Promise<AttributionScope | undefined>;
  /** As it stands now; undefined when there is none. Rejects when no node answers. */
  contribution(id: bigint): Promise<Contribution | undefined>;
}

/** Writes what happened, for people. */
export interface AttestLogger {
  info(facts: Readonly<Record<string, unknown>>, message: string): void;
  warn(facts: Readonly<Record<string, unknown>>, message: string): void;
}
