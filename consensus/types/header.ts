import { concatBytes, EMPTY_BYTES, utf8 } from '../../core/bytes.ts';
import { DecodeError } from '../../core/errors.ts';
import { merkleRoot } from '../../core/merkle.ts';
import { encodeUvarint } from '../../core/varint.ts';
import { Timestamp } from '../../proto/gen/google/protobuf/timestamp.ts';
import { BlockID, Header as HeaderMessage } from '../../proto/gen/tendermint/types/types.ts';
import { Consensus as VersionMessage } from '../../proto/gen/tendermint/version/types.ts';
import { type BlockId, checkBlockId, checkHash } from './block-id.ts';
import { checkAddress, checkHeight } from './check.ts';
import { BLOCK_PROTOCOL, CHAIN_ID_BYTES_MAX } from './limits.ts';
import { checkTime, type Time } from './time.ts';

/**
 * A block header (tendermint.types.Header). Hashes have 32 bytes, or none where CometBFT leaves them empty.
 */
export interface Header {
  /** `block` is `BLOCK_PROTOCOL`; `app` is the application's. */
  readonly version: { readonly block: bigint; readonly app: bigint };
  readonly chainId: string;
  readonly height: bigint;
  readonly time: Time;
  /** Nil's id in the first block. */
  readonly lastBlockId: BlockId;
  readonly lastCommitHash: Uint8Array;
  readonly dataHash: Uint8Array;
  readonly validatorsHash: Uint8Array;
  readonly nextValidatorsHash: Uint8Array;
  readonly consensusHash: Uint8Array;
  /** The application's state after the block before; any length. */
  readonly appHash: Uint8Array;
  readonly lastResultsHash: Uint8Array;
  readonly evidenceHash: Uint8Array;
  /** 20 bytes. */
  readonly proposerAddress: Uint8Array;
}

/** Longest app hash that is read: the store's has 32 bytes. */
const APP_HASH_BYTES_MAX = 128;

/** By object: a header is hashed wherever it is met, and never changes. */
const hashes = new WeakMap<Header, Uint8Array>();

/** The block hash: merkle root over the header's 14 fields, each in its protobuf encoding. 32 bytes. */
export function headerHash(header: Header): Uint8Array {
  const known = hashes.get(header);
  if (known !== undefined) return known;
  const hash = hashOf(header);
  hashes.set(header, hash);
  return hash;
}

function hashOf(header: Header): Uint8Array {
  return merkleRoot(headerFields(header));
}

/** What the leaves of a block hash are: 14 fields, each in its protobuf encoding. */
export function headerFields(header: Header): readonly Uint8Array[] {
  return [
    VersionMessage.encode(header.version),
    wrapBytes(utf8(header.chainId)),
    wrapInt64(header.height),
    Timestamp.encode(header.time),
    BlockID.encode(header.lastBlockId),
    wrapBytes(header.lastCommitHash),
    wrapBytes(header.dataHash),
    wrapBytes(header.validatorsHash),
    wrapBytes(header.nextValidatorsHash),
    wrapBytes(header.consensusHash),
    wrapBytes(header.appHash),
    wrapBytes(header.lastResultsHash),
    wrapBytes(header.evidenceHash),
    wrapBytes(header.proposerAddress),
  ];
}

/** google.protobuf.BytesValue or StringValue: field 1; nothing when empty. */
function wrapBytes(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) return EMPTY_BYTES;
  return concatBytes(Uint8Array.of(0x0a), encodeUvarint(BigInt(bytes.length)), bytes);
}

/** google.protobuf.Int64Value of a non-negative number: field 1; nothing when zero. */
function wrapInt64(value: bigint): Uint8Array {
  if (value === 0n) return EMPTY_BYTES;
  return concatBytes(Uint8Array.of(0x08), encodeUvarint(value));
}

/** Encodes a header. */
export function encodeHeader(header: Header): Uint8Array {
  return HeaderMessage.encode(header);
}

/** @throws DecodeError when the bytes are not a header, or not one that `checkHeader` takes */
export function decodeHeader(bytes: Uint8Array): Header {
  return checkHeader(HeaderMessage.decode(bytes));
}

/**
 * Checks a header's form (CometBFT `Header.ValidateBasic`).
 * @throws DecodeError on the first thing wrong
 */
export function checkHeader(header: Header): Header {
  if (header.version.block !== BLOCK_PROTOCOL) {
    throw new DecodeError('header: wrong block protocol', {
      expected: BLOCK_PROTOCOL,
      got: header.version.block,
    });
  }
  if (utf8(header.chainId).length > CHAIN_ID_BYTES_MAX) throw new DecodeError('header: chain id is too long');
  checkHeight(header.height, 'header');
  checkTime(header.time, 'header');
  checkBlockId(header.lastBlockId, 'header: last block id');
  checkHash(header.lastCommitHash, 'header: last commit hash');
  checkHash(header.dataHash, 'header: data hash');
  checkHash(header.evidenceHash, 'header: evidence hash');
  checkAddress(header.proposerAddress, 'header: proposer');
  checkHash(header.validatorsHash, 'header: validators hash');
  checkHash(header.nextValidatorsHash, 'header: next validators hash');
  checkHash(header.consensusHash, 'header: consensus hash');
  checkHash(header.lastResultsHash, 'header: last results hash');
  if (header.validatorsHash.length === 0) throw new DecodeError('header: validators hash is missing');
  if (header.appHash.length > APP_HASH_BYTES_MAX) throw new DecodeError('header: app hash is too long');
  return header;
}
