/** What a remote signer and a node read of each other: messages, and frames of the secret connection. */
import { createCipheriv } from 'node:crypto';
import { concatBytes } from '../../../core/bytes.ts';
import { LedgerError } from '../../../core/errors.ts';
import { testProposal, testVote } from '../../../node/gossip/testing.ts';
import type { ByteChannel } from '../../../node/privval/remote/channel.ts';
import { readDelimited } from '../../../node/privval/remote/delimited.ts';
import {
  MESSAGE_BYTES_MAX,
  proposalToSignFrom,
  signProposalRequest,
  signVoteRequest,
  voteToSignFrom,
} from '../../../node/privval/remote/messages.ts';
import {
  FRAME_DATA_BYTES,
  FrameOpener,
  FrameSealer,
  SEALED_FRAME_BYTES,
} from '../../../node/privval/secret-connection/frames.ts';
import { agreeOnKeys, ephemeralKey } from '../../../node/privval/secret-connection/key-agreement.ts';
import { SecretChannel } from '../../../node/privval/secret-connection/secret-channel.ts';
import { BytesValue } from '../../../proto/gen/google/protobuf/wrappers.ts';
import { AuthSigMessage } from '../../../proto/gen/tendermint/p2p/conn.ts';
import { Message } from '../../../proto/gen/tendermint/privval/types.ts';
import type { Target } from '../target.ts';
import { isDecodeError } from './vectors.ts';

/** Gives the input and then ends. */
function channelOf(bytes: Uint8Array): ByteChannel {
  let at = 0;
  return {
    ended: Promise.resolve(),
    destroy: () => undefined,
    write: () => Promise.resolve(),
    read: (length) => {
      const end = at + length;
      if (end > bytes.length) return Promise.reject(new LedgerError('privval.closed', 'the other side left'));
      const read = bytes.slice(at, end);
      at = end;
      return Promise.resolve(read);
    },
  };
}

const isChannelError = (error: unknown): boolean =>
  isDecodeError(error) || (error instanceof LedgerError && error.code === 'privval.closed');

const requests = [
  signVoteRequest('fuzz-1', testVote(3n, 1, 'precommit', 2)),
  signProposalRequest('fuzz-1', testProposal(3n, 1)),
  Message.create({ pingRequest: {} }),
  Message.create({ pubKeyRequest: { chainId: 'fuzz-1' } }),
];
const proof = {
  pubKey: { ed25519: new Uint8Array(32).fill(1), secp256k1: undefined },
  sig: new Uint8Array(64),
};
const key = new Uint8Array(32).fill(3);

/** A frame as somebody who holds the key could send it, with whatever is in it. */
function sealed(frame: Uint8Array): Uint8Array {
  const cipher = createCipheriv('chacha20-poly1305', key, new Uint8Array(12), { authTagLength: 16 });
  return concatBytes(cipher.update(frame), cipher.final(), cipher.getAuthTag());
}

/** Frames always have their full length: shorter ones are waited for. */
function fitted(bytes: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(length);
  out.set(bytes.subarray(0, length));
  return out;
}

const PLAIN_BYTES = 4 + FRAME_DATA_BYTES;
const isBadFrame = (error: unknown): boolean =>
  error instanceof LedgerError && error.code === 'secret_connection.bad_frame';

const ours = ephemeralKey(new Uint8Array(32).fill(5));
const theirs = ephemeralKey(new Uint8Array(32).fill(6));
/** What the other side sends second. */
const sealedProof = new FrameSealer(agreeOnKeys(theirs, ours.publicKey).sendKey).seal(
  AuthSigMessage.encodeDelimited(proof),
);
const identity = { publicKey: new Uint8Array(32), sign: () => new Uint8Array(64) };

export const SIGNER_TARGETS: readonly Target[] = [
  {
    name: 'privval/handshake',
    form: 'bytes',
    seeds: [
      concatBytes(BytesValue.encodeDelimited({ value: theirs.publicKey }), sealedProof),
      BytesValue.encodeDelimited({ value: new Uint8Array(32) }),
    ],
    bytesMax: 2 * SEALED_FRAME_BYTES,
    read: async (bytes) => {
      await SecretChannel.open(channelOf(bytes), { identity, ephemeral: ours, verify: () => true });
      return undefined;
    },
    documented: (error) =>
      isChannelError(error) || (error instanceof LedgerError && error.code.startsWith('secret_connection.')),
  },
  {
    name: 'privval/message',
    form: 'protobuf',
    seeds: requests.map((request) => Message.encode(request)),
    bytesMax: 2 * MESSAGE_BYTES_MAX,
    read: async (bytes) => {
      const length = Uint8Array.of(
        (bytes.length & 127) | 128,
        ((bytes.length >> 7) & 127) | 128,
        bytes.length >> 14,
      );
      const message = await readDelimited(channelOf(concatBytes(length, bytes)), Message, MESSAGE_BYTES_MAX);
      if (message.signVoteRequest !== undefined) voteToSignFrom(message.signVoteRequest.vote);
      if (message.signProposalRequest !== undefined) proposalToSignFrom(message.signProposalRequest.proposal);
      return () => Message.encode(message);
    },
    documented: isChannelError,
  },
  {
    name: 'privval/delimited',
    form: 'bytes',
    seeds: [AuthSigMessage.encodeDelimited(proof)],
    bytesMax: 1_024,
    read: async (bytes) => {
      const message = await readDelimited(channelOf(bytes), AuthSigMessage, 256);
      return () => AuthSigMessage.encodeDelimited(message);
    },
    documented: isChannelError,
  },
  {
    name: 'privval/frame',
    form: 'bytes',
    seeds: [Uint8Array.of(5, 0, 0, 0, 1, 2, 3, 4, 5), Uint8Array.of(0, 4, 0, 0), Uint8Array.of(0, 0, 0, 0)],
    bytesMax: PLAIN_BYTES,
    read: (bytes) => {
      const data = new FrameOpener(key).open(sealed(fitted(bytes, PLAIN_BYTES)));
      return () => concatBytes(Uint8Array.of(data.length & 255, data.length >> 8, 0, 0), data);
    },
    documented: isBadFrame,
  },
  {
    name: 'privval/forged-frame',
    form: 'bytes',
    seeds: [sealed(fitted(Uint8Array.of(5, 0, 0, 0, 1, 2, 3, 4, 5), PLAIN_BYTES))],
    bytesMax: SEALED_FRAME_BYTES,
    read: (bytes) => {
      new FrameOpener(key).open(fitted(bytes, SEALED_FRAME_BYTES));
      return undefined;
    },
    documented: isBadFrame,
  },
];
