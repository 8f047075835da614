/** What a gateway needs of the world; `cli/gateway` joins it to a node's RPC, keys and files. */
import type { ChannelMirror } from '../../client/vouchers/mirror.ts';
import type { FinalClaim, ModelTerms } from '../../modules/settlement/proof/chain.ts';
import type { ClaimRow } from '../../proto/gen/openledger/channels/v1/tx.ts';
import type { EpochCommitment } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import type { MsgServeEpochPiece } from '../../proto/gen/openledger/settlement/v1/tx.ts';
import type {
  Epoch,
  EpochRequest,
  LaneRecord,
  Params,
  Round,
} from '../../proto/gen/openledger/settlement/v1/settlement.ts';

/** What a request is answered by: asked of the chain once for each model and claim, both stay as they are. */
export interface PriceBook {
  /** Undefined when there is no such model. Rejects when no node answers. */
  terms(modelId: bigint): Promise<ModelTerms | undefined>;
  /** Undefined when receipts cannot rest on it: it is not final, or no payment follows it. */
  claim(id: bigint): Promise<FinalClaim | undefined>;
}

/** What answers a request on the chain: an opening, or an attribution. */
export type ServedPiece = Omit<MsgServeEpochPiece, 'sender'>;

/** What settling needs of the chain. All reject when no node answers, messages also when they are refused. */
export interface SettlementChain extends Pick<PriceBook, 'terms'> {
  /** Channels to this gateway. */
  mirrors(): Promise<readonly ChannelMirror[]>;
  /** Of this gateway. */
  rounds(): Promise<readonly Round[]>;
  lanes(roundId: bigint): Promise<readonly LaneRecord[]>;
  /** Undefined when there is none: a convicted one is gone. */
  epoch(id: bigint): Promise<Epoch | undefined>;
  params(): Promise<Params>;
  /** Claims; resolves when that is in a block. */
  claimVouchers(rows: readonly ClaimRow[]): Promise<void>;
  /** Pieces of an epoch that are asked for and not answered. */
  requests(epochId: bigint): Promise<readonly EpochRequest[]>;
  /** Answers some, in one transaction. */
  servePieces(answers: readonly ServedPiece[]): Promise<void>;
  /** States a round, with the least bond; the epoch's number. */
  settleEpoch(roundId: bigint, commitment: EpochCommitment): Promise<bigint>;
}

/** What somebody wants answered. */
export interface InferenceRequest {
  readonly modelId: bigint;
  readonly prompt: Uint8Array;
  /** Most tokens of the answer: what the voucher has to allow for. */
  readonly tokensOutMax: number;
}

/** What a model said. */
export interface InferenceAnswer {
  readonly content: Uint8Array;
  readonly tokensOut: number;
  /** 32 bytes: the merkle root of the answer, by which claims of attribution are about it (docs/adr/0009). */
  readonly responseHash: Uint8Array;
  /** A claim on the chain that this answer rests on; 0 for none. */
  readonly claimId: bigint;
}

/** Runs models. */
export interface Inference {
  /** Tokens of a prompt: known before anything is served. */
  tokensIn(request: Pick<InferenceRequest, 'modelId' | 'prompt'>): number;
  /** Rejects when there is no answer: then nothing is charged. */
  infer(request: InferenceRequest, signal: AbortSignal): Promise<InferenceAnswer>;
}

/** What a model says, part by part: pieces, and then the end. */
export type StreamedPart =
  /** `tokens` of this piece, at least 1. */
  | { readonly kind: 'piece'; readonly text: string; readonly tokens: number }
  /** `tokens` of all pieces; `claimId` as that of an answer. */
  | { readonly kind: 'end'; readonly tokens: number; readonly claimId: bigint };

/** Runs models that say their answers part by part. */
export interface StreamingInference extends Pick<Inference, 'tokensIn'> {
  /**
   * Asked for the next part when the one before it was given and paid for. Who asks for no more has it
   * stopped. Rejects with `gateway.inference` when there is no answer, or no more of it.
   */
  stream(request: InferenceRequest, signal: AbortSignal): AsyncIterable<StreamedPart>;
}

/** Signs receipts by the key that the gateway is registered with. */
export interface ReceiptSigner {
  /** 64 bytes of ed25519. */
  sign(statement: Uint8Array): Uint8Array;
}

/** Files of epochs: each is written once, as a whole. */
export interface EpochFiles {
  /** The old content or the new one, durably, whatever happens. */
  write(name: string, bytes: Uint8Array): Promise<void>;
  read(name: string): Promise<Uint8Array | undefined>;
}

/** Writes what happened, for people. */
export interface GatewayLogger {
  info(facts: Readonly<Record<string, unknown>>, message: string): void;
  warn(facts: Readonly<Record<string, unknown>>, message: string): void;
  error(facts: Readonly<Record<string, unknown>>, message: string): void;
}
