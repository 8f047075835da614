/** Frames, the handshake, and the messages of channels and request protocols. */
import { bitArray } from '../../../consensus/types/bit-array.ts';
import { concatBytes } from '../../../core/bytes.ts';
import { LedgerError } from '../../../core/errors.ts';
import {
  decodeBlockRequest,
  decodeBlockResponse,
  decodeRange,
  encodeBlockRequest,
  encodeBlockResponse,
  encodeRange,
} from '../../../node/blocksync/messages.ts';
import {
  decodeDataMessage,
  decodeStateMessage,
  decodeVoteMessage,
  encodeConsensusMessage,
  encodeStateMessage,
  type StateMessage,
} from '../../../node/gossip/messages.ts';
import { testBlock, testCommit, testProposal, testVote } from '../../../node/gossip/testing.ts';
import { decodeTxs } from '../../../node/tx-gossip.ts';
import { encodeFrame, FrameDecoder } from '../../../p2p/frame.ts';
import { checkStatus, encodeStatus } from '../../../p2p/status.ts';
import {
  decodeProofRequest,
  decodeProofResponse,
  encodeProofRequest,
  encodeProofResponse,
} from '../../../p2p/validator-proof.ts';
import { Status } from '../../../proto/gen/openledger/p2p/v1/p2p.ts';
import { Txs } from '../../../proto/gen/tendermint/mempool/types.ts';
import type { Target } from '../target.ts';
import { protobufTarget as target } from './protobuf-target.ts';
import { hexVectors } from './vectors.ts';

const KIB = 1024;
const HEIGHT = 3n;
const at = { height: HEIGHT, round: 1 };

const { blockId, parts } = testBlock(HEIGHT, 1);
const states: readonly StateMessage[] = [
  { kind: 'roundStep', ...at, step: 'prevote', lastCommitRound: 0 },
  { kind: 'partsHeld', ...at, header: blockId.partSetHeader, bits: bitArray(5, [0, 3]), decided: true },
  { kind: 'hasVote', ...at, type: 'prevote', index: 2 },
  { kind: 'votesHeld', ...at, type: 'precommit', bits: bitArray(100, [0, 63, 64, 99]) },
];
const status = {
  chainId: 'fuzz-1',
  moniker: 'a node',
  softwareVersion: '0.1.0',
  genesisHash: new Uint8Array(32).fill(9),
  latestHeight: () => 7n,
};
/** The last part is short: runs are not about 64 KiB of data. */
const lastPart = parts.slice(-1).map((part) => encodeConsensusMessage({ kind: 'blockPart', ...at, part }));

/** All whole frames of what arrived, in pieces as a network cuts them. */
function readFrames(bytes: Uint8Array): readonly Uint8Array[] {
  const decoder = new FrameDecoder(16 * KIB);
  const frames: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = Math.min(bytes.length, start + 1 + ((bytes[start] ?? 0) % 97));
    decoder.push(bytes.slice(start, end));
    for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) frames.push(frame);
    start = end;
  }
  return frames;
}

const framed = concatBytes(
  ...[1, 130, 2_000].map((length) => encodeFrame(new Uint8Array(length).fill(length))),
);
const txs = [new Uint8Array(200).fill(1), new Uint8Array(3).fill(2), new Uint8Array(0)];

export const NETWORK_TARGETS: readonly Target[] = [
  target(
    'p2p/frame',
    [framed],
    {
      decode: readFrames,
      encode: (frames) => concatBytes(...frames.map(encodeFrame)),
    },
    { form: 'bytes', bytesMax: 32 * KIB },
  ),
  target(
    'p2p/status',
    [encodeStatus(status, '/ip4/127.0.0.1/tcp/26656')],
    {
      decode: (bytes) => checkStatus(status, bytes),
      encode: (value) => Status.encode(value),
    },
    { documented: (error) => error instanceof LedgerError && /^(decode|p2p\.other_\w+)$/.test(error.code) },
  ),
  target('p2p/proof-request', [encodeProofRequest(new Uint8Array(32).fill(5))], {
    decode: decodeProofRequest,
    encode: encodeProofRequest,
  }),
  target(
    'p2p/proof-response',
    [
      encodeProofResponse({
        publicKey: { ed25519: new Uint8Array(32).fill(6), secp256k1: undefined },
        signature: new Uint8Array(64).fill(7),
      }),
      encodeProofResponse({
        publicKey: { ed25519: undefined, secp256k1: new Uint8Array(33).fill(2) },
        signature: new Uint8Array(64).fill(8),
      }),
    ],
    { decode: decodeProofResponse, encode: encodeProofResponse },
  ),
  target('gossip/state', states.map(encodeStateMessage), {
    decode: decodeStateMessage,
    encode: encodeStateMessage,
  }),
  target(
    'gossip/data',
    [encodeConsensusMessage({ kind: 'proposal', proposal: testProposal(HEIGHT, 1) }), ...lastPart],
    { decode: decodeDataMessage, encode: encodeConsensusMessage },
  ),
  target(
    'gossip/votes',
    [encodeConsensusMessage({ kind: 'vote', vote: testVote(HEIGHT, 1, 'precommit', 2) })],
    { decode: decodeVoteMessage, encode: encodeConsensusMessage },
  ),
  target('mempool/txs', [Txs.encode({ txs }), Txs.encode({ txs: txs.slice(0, 1) })], {
    decode: decodeTxs,
    encode: (list) => Txs.encode({ txs: list }),
  }),
  target('blocksync/range', [encodeRange({ base: 1n, height: 9n }), encodeRange({ base: 0n, height: 0n })], {
    decode: decodeRange,
    encode: encodeRange,
  }),
  target('blocksync/request', [encodeBlockRequest(HEIGHT), encodeBlockRequest(HEIGHT, 3)], {
    decode: decodeBlockRequest,
    encode: ({ height, blocksMax }) => encodeBlockRequest(height, blocksMax),
  }),
  target(
    'blocksync/response',
    [
      encodeBlockResponse([]),
      ...hexVectors('cometbft/blocks.json', 'blocks.bytes').map((blockBytes) =>
        encodeBlockResponse([
          { blockBytes, commit: testCommit(HEIGHT, 1) },
          { blockBytes, commit: testCommit(HEIGHT + 1n, 1) },
        ]),
      ),
    ],
    {
      decode: (bytes) => decodeBlockResponse({ height: HEIGHT, blocksMax: 2 }, bytes),
      encode: encodeBlockResponse,
    },
  ),
];
