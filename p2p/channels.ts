/**
 * The catalogue of channels and request protocols, with their limits, and the names they have on the wire.
 */
import { ADDRESSES_BYTES_MAX } from './exchange-limits.ts';
import type { ChannelSpec, ProtocolSpec } from './network.ts';
import { PROOF_REQUEST_BYTES_MAX, PROOF_RESPONSE_BYTES_MAX } from './validator-proof.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Round steps, has-vote, bit arrays: small and frequent. 10,000 validators are 1,250 bytes of bits. */
export const STATE_CHANNEL: ChannelSpec = {
  name: 'state',
  version: 1,
  messageBytesMax: 16 * KIB,
  queueBytesMax: 256 * KIB,
  inFlightMax: 16,
};

/** Proposals and block parts: a part is 64 KiB and its proof. */
export const DATA_CHANNEL: ChannelSpec = {
  name: 'data',
  version: 1,
  messageBytesMax: 128 * KIB,
  queueBytesMax: 4 * MIB,
  inFlightMax: 16,
};

/** Votes. */
export const VOTES_CHANNEL: ChannelSpec = {
  name: 'votes',
  version: 1,
  messageBytesMax: 16 * KIB,
  queueBytesMax: MIB,
  inFlightMax: 64,
};

/** Batches of transactions. */
export const TXS_CHANNEL: ChannelSpec = {
  name: 'txs',
  version: 1,
  messageBytesMax: 2 * MIB,
  queueBytesMax: 8 * MIB,
  inFlightMax: 4,
};

/**
 * Largest transaction that peers hand to each other: what a message carries beside its tag and length. No
 * mempool takes a larger one (`max_tx_bytes`).
 */
export const GOSSIPED_TX_BYTES_MAX: number = TXS_CHANNEL.messageBytesMax - 6;

/** Which heights a node has stored: a few bytes after each block. */
export const SYNC_CHANNEL: ChannelSpec = {
  name: 'sync',
  version: 1,
  messageBytesMax: 64,
  queueBytesMax: 4 * KIB,
  inFlightMax: 16,
};

/** Lists of evidence. An attack holds a block header, its commit and its validators. */
export const EVIDENCE_CHANNEL: ChannelSpec = {
  name: 'evidence',
  version: 1,
  messageBytesMax: 2 * MIB,
  queueBytesMax: 4 * MIB,
  inFlightMax: 2,
};

/** Every channel of a node. */
export const CHANNELS: readonly ChannelSpec[] = [
  STATE_CHANNEL,
  DATA_CHANNEL,
  VOTES_CHANNEL,
  TXS_CHANNEL,
  SYNC_CHANNEL,
  EVIDENCE_CHANNEL,
];

/**
 * Whole blocks with their commits, by height. A block is at most 21 MiB (`BLOCK_BYTES_MAX`), a commit of
 * 10,000 validators about 1 MiB.
 */
export const BLOCKS_PROTOCOL: ProtocolSpec = {
  name: 'blocks',
  version: 1,
  requestBytesMax: 64,
  responseBytesMax: 24 * MIB,
  concurrentMax: 8,
};

/** The newest state snapshots that a node has made. Their metadata are 32 bytes for each chunk. */
export const SNAPSHOTS_PROTOCOL: ProtocolSpec = {
  name: 'snapshots',
  version: 1,
  requestBytesMax: 64,
  responseBytesMax: 4 * MIB,
  concurrentMax: 2,
};

/** Chunks of state snapshots: as large as CometBFT's may be. */
export const SNAPSHOT_CHUNK_PROTOCOL: ProtocolSpec = {
  name: 'snapshot-chunk',
  version: 1,
  requestBytesMax: 64,
  responseBytesMax: 16 * MIB,
  concurrentMax: 4,
};

/** Headers with their commits and validators. With 10,000 validators one has about 2 MiB. */
export const LIGHT_BLOCK_PROTOCOL: ProtocolSpec = {
  name: 'light-block',
  version: 1,
  requestBytesMax: 64,
  responseBytesMax: 4 * MIB,
  concurrentMax: 8,
};

/** Addresses of other nodes. */
export const ADDRESSES_PROTOCOL: ProtocolSpec = {
  name: 'addresses',
  version: 1,
  requestBytesMax: 16,
  responseBytesMax: ADDRESSES_BYTES_MAX,
  concurrentMax: 1,
};

/** Proofs that a peer holds a consensus key. */
export const VALIDATOR_PROOF_PROTOCOL: ProtocolSpec = {
  name: 'validator-proof',
  version: 1,
  requestBytesMax: PROOF_REQUEST_BYTES_MAX,
  responseBytesMax: PROOF_RESPONSE_BYTES_MAX,
  concurrentMax: 1,
};

/** Every request protocol of a node. */
export const PROTOCOLS: readonly ProtocolSpec[] = [
  BLOCKS_PROTOCOL,
  SNAPSHOTS_PROTOCOL,
  SNAPSHOT_CHUNK_PROTOCOL,
  LIGHT_BLOCK_PROTOCOL,
  ADDRESSES_PROTOCOL,
  VALIDATOR_PROOF_PROTOCOL,
];

/**
 * The handshake. Its name carries no chain id, so that nodes of two chains still understand each other well
 * enough to say why they part.
 */
export const STATUS_PROTOCOL = '/openledger/status/1';

/** Raised when nodes of two versions cannot work together. */
export const PROTOCOL_VERSION = 1;

/** Longest handshake message. */
export const STATUS_BYTES_MAX = 1024;

/** The protocol's name on the wire: `/openledger/<chainId>/<name>/<version>`. */
export function wireName(chainId: string, spec: { readonly name: string; readonly version: number }): string {
  return `/openledger/${chainId}/${spec.name}/${spec.version}`;
}
