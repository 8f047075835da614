import { expect, test } from 'vitest';
import { LedgerError } from '../../core/errors.ts';
import { RECEIPTS } from '../../modules/settlement/proof/kinds.ts';
import { runOf, verifyRun } from '../../modules/settlement/proof/piece.ts';
import { EpochTree } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { Epoch, EpochRequest, Round } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import { randomFrom } from '../../test/attribution/fidelity/digits.ts';
import { Dice } from '../../test/settlement/epochs/dice.ts';
import { makeWorld } from '../../test/settlement/epochs/world.ts';
import type { PublishedEpoch } from '../epochs/published.ts';
import { answerRequests } from './answer-requests.ts';
import type { ServedPiece } from './ports.ts';

const NO_HASH = new Uint8Array(0);

function request(id: bigint, piece: Partial<EpochRequest['piece']> = {}): EpochRequest {
  const tree = EpochTree.EPOCH_TREE_RECEIPTS;
  return EpochRequest.create({
    id,
    epochId: 7n,
    piece: { tree, first: 0, attribution: NO_HASH, ...piece },
    deadline: 90n,
  });
}

/** Answers these, at a chain that takes some; what was sent, and what was said. */
async function answering(
  requests: readonly EpochRequest[],
  { ofRound, refused = 0n }: { readonly ofRound: () => Promise<PublishedEpoch>; readonly refused?: bigint },
) {
  const taken: (readonly ServedPiece[])[] = [];
  const [told, alarms]: [bigint[], bigint[]] = [[], []];
  const logger = {
    info: (facts: object) => void told.push((facts as { readonly request: bigint }).request),
    warn: () => undefined,
    error: (facts: object) => void alarms.push((facts as { readonly request: bigint }).request),
  };
  const asked: bigint[] = [];
  const chain = {
    rounds: async () => [Round.create({ id: 1n }), Round.create({ id: 2n, epochId: 7n })],
    epoch: async () => Epoch.create({ id: 7n, roundId: 2n, openRequests: requests.length }),
    async requests(epochId: bigint) {
      asked.push(epochId);
      return requests;
    },
    async servePieces(answers: readonly ServedPiece[]) {
      if (answers.some(({ requestId }) => requestId === refused))
        throw new LedgerError('attest.refused', 'there is no open request');
      taken.push(answers);
    },
  };
  await answerRequests({ chain, epochs: { ofRound }, logger });
  return { taken, told, alarms, asked };
}

const ids = (taken: readonly (readonly ServedPiece[])[]): readonly (readonly bigint[])[] =>
  taken.map((answers) => answers.map(({ requestId }) => requestId));

const { epoch } = makeWorld(new Dice(randomFrom(61)), { receiptsMax: 40 });
const ofRound = async (): Promise<PublishedEpoch> => epoch;
const TEN = [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 9n, 10n];

test('eight are answered in a transaction, with what opens the roots', async () => {
  const { taken, told, alarms, asked } = await answering(
    TEN.map((id) => request(id)),
    { ofRound },
  );
  expect(ids(taken)).toEqual([TEN.slice(0, 8), TEN.slice(8)]);
  expect([told, alarms, asked]).toEqual([TEN, [], [7n]]);
  const { receipts } = epoch.commitment;
  for (const { opening } of taken.flat())
    verifyRun(RECEIPTS, receipts, { run: runOf(RECEIPTS, receipts, 0), opening });
});

test('one alone is answered', async () => {
  const { taken, told, alarms } = await answering([request(1n)], { ofRound });
  expect([ids(taken), told, alarms]).toEqual([[[1n]], [1n], []]);
});

test('one that the chain refuses takes no other with it', async () => {
  const { taken, told, alarms } = await answering(
    TEN.map((id) => request(id)),
    { ofRound, refused: 3n },
  );
  const alone = [1n, 2n, 4n, 5n, 6n, 7n, 8n].map((id) => [id]);
  expect(ids(taken)).toEqual([...alone, [9n, 10n]]);
  expect(told).toEqual(TEN.filter((id) => id !== 3n));
  expect(alarms).toEqual([3n]);
});

test('what the epoch does not have, or is lost, is an alarm, and the rest is answered', async () => {
  const hash = { tree: EpochTree.EPOCH_TREE_UNSPECIFIED, attribution: new Uint8Array(32).fill(9) };
  const none = [request(1n), request(2n, { first: 2 ** 31 }), request(3n, hash)];
  const { taken, alarms } = await answering(none, { ofRound });
  expect([ids(taken), alarms]).toEqual([[[1n]], [2n, 3n]]);
  const lost = async (): Promise<PublishedEpoch> => {
    throw new LedgerError('gateway.lost_epoch', 'the file is missing');
  };
  expect(await answering(none, { ofRound: lost })).toMatchObject({ taken: [], alarms: [1n, 2n, 3n] });
});
