import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LedgerError } from '../../../core/errors.ts';
import { Message } from '../../../proto/gen/tendermint/privval/types.ts';
import { block, CHAIN, proposal, vote } from '../testing/requests.ts';
import type { ByteChannel } from './channel.ts';
import { readDelimited } from './delimited.ts';
import {
  MESSAGE_BYTES_MAX,
  proposalToSignFrom,
  signProposalRequest,
  signVoteRequest,
  voteToSignFrom,
} from './messages.ts';

/** Bytes that come in one piece and then end; the largest read is kept. */
class Bytes implements ByteChannel {
  readonly ended: Promise<void> = new Promise(() => undefined);
  largest = 0;
  #rest: Uint8Array;
  constructor(bytes: Uint8Array) {
    this.#rest = bytes;
  }
  async read(length: number): Promise<Uint8Array> {
    this.largest = Math.max(this.largest, length);
    if (length > this.#rest.length) throw new LedgerError('privval.closed', 'the end');
    const bytes = this.#rest.slice(0, length);
    this.#rest = this.#rest.slice(length);
    return bytes;
  }
  async write(): Promise<void> {}
  destroy(): void {}
}

const requests: readonly Message[] = [
  signVoteRequest(CHAIN, vote('prevote', { height: 5n, round: 2 })),
  signVoteRequest(CHAIN, vote('precommit', { height: 2n ** 62n, round: 0 }, { blockId: block('x') })),
  signProposalRequest(CHAIN, proposal(7n, 1)),
  Message.create({ pubKeyRequest: { chainId: CHAIN } }),
];

test('requests arrive as they were sent', async () => {
  for (const request of requests) {
    const channel = new Bytes(Message.encodeDelimited(request));
    expect(await readDelimited(channel, Message, MESSAGE_BYTES_MAX)).toEqual(request);
  }
  const asked = vote('prevote', { height: 5n, round: 2 });
  expect(voteToSignFrom(requests[0]?.signVoteRequest?.vote).vote).toEqual(asked);
  expect(proposalToSignFrom(requests[2]?.signProposalRequest?.proposal)).toEqual(proposal(7n, 1));
});

/** Reads as a signer does. */
async function take(bytes: Uint8Array, channel: Bytes = new Bytes(bytes)): Promise<number> {
  try {
    const message = await readDelimited(channel, Message, MESSAGE_BYTES_MAX);
    if (message.signVoteRequest !== undefined) voteToSignFrom(message.signVoteRequest.vote);
    if (message.signProposalRequest !== undefined) proposalToSignFrom(message.signProposalRequest.proposal);
  } catch (error) {
    expect(error).toBeInstanceOf(LedgerError);
  }
  return channel.largest;
}

test('whatever bytes come, they are read or refused in words, and never is more asked for than a message may have', async () => {
  const changed = fc
    .tuple(
      fc.constantFrom(...requests),
      fc.array(fc.tuple(fc.nat(300), fc.nat(255)), { maxLength: 6 }),
      fc.nat(400),
    )
    .map(([request, changes, length]) => {
      const bytes = Message.encodeDelimited(request);
      for (const [place, value] of changes) if (place < bytes.length) bytes[place] = value;
      return bytes.slice(0, length);
    });
  const anything = fc.uint8Array({ maxLength: 200 });
  await fc.assert(
    fc.asyncProperty(fc.oneof(changed, anything), async (bytes) => {
      expect(await take(bytes)).toBeLessThanOrEqual(MESSAGE_BYTES_MAX);
    }),
    { numRuns: 5_000 },
  );
});
