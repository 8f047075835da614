import type { Address, AddressCodec } from '../../framework/address.ts';
import type { ShardCommitment } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import type { BankTransfer } from '../bank/types.ts';
import type { DatanetView } from '../datanet/types.ts';
import type { CommunityPool } from '../distribution/types.ts';
import type { ModelView } from '../models/types.ts';

/** What the chain has of the contribution at a position of a Datanet's log. */
export interface ChainDocument {
  readonly contributionId: bigint;
  readonly contributor: Address;
  /** Root over the content's chunks, 32 bytes. */
  readonly root: Uint8Array;
  readonly byteLength: bigint;
  /** False when it was withdrawn or slashed. */
  readonly accepted: boolean;
}

/** Finds them; undefined behind the end of the log. */
export type ChainDocuments = (position: bigint) => ChainDocument | undefined;

/** What a fraud proof is about. */
export interface ShardFraudCase {
  readonly commitment: ShardCommitment;
  readonly proof: Uint8Array;
  readonly documents: ChainDocuments;
}

/** Published verifiers of `proof/`: pure, and bounded by the length of what they are given. */
export interface ProofVerifiers {
  /** Undefined when the proof convicts the shard; else why it does not. Never throws. */
  problemOfFraud(fraud: ShardFraudCase): string | undefined;
}

/** What attribution needs from the rest of the application. */
export interface AttributionPorts {
  readonly addresses: AddressCodec;
  readonly datanets: DatanetView;
  readonly models: ModelView;
  readonly bank: BankTransfer;
  readonly communityPool: CommunityPool;
  readonly verifiers: ProofVerifiers;
}
