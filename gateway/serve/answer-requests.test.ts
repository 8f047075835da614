import { expect, test } from 'vitest';
import { LedgerError } from '../../core/errors.ts';
import { ATTRIBUTION_BYTES_MAX } from '../../modules/settlement/proof/attribution.ts';
import { RECEIPTS } from '../../modules/settlement/proof/kinds.ts';
import { runOf, verifyRun } from '../../modules/settlement/proof/piece.ts';
import { DEFAULT_MEMPOOL_CONFIG } from '../../node/mempool/config.ts';
import { DEFAULT_RPC_CONFIG } from '../../node/rpc/config.ts';
import { TxBody } from '../../proto/gen/cosmos/tx/v1beta1/tx.ts';
import { EpochTree } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { Epoch, EpochRequest, Round } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import { MsgServeEpochPiece } from '../../proto/gen/openledger/settlement/v1/tx.ts';
import { randomFrom } from '../../test/attribution/fidelity/digits.ts';
import { Dice } from '../../test/settlement/epochs/dice.ts';
import { makeWorld } from '../../test/settlement/epochs/world.ts';
import { anyOf } from '../../test/support/test-chain.ts';
import type { PublishedEpoch } from '../epochs/published.ts';
import { RequestAnswerer, TX_ANSWERS_MAX } from './answer-requests.ts';
import type { ServedPiece } from './ports.ts';
import { takeTurns } from './take-turns.ts';

const NO_HASH = new Uint8Array(0);
/** An address with the longest prefix that accounts have here. */
const SENDER = `open1${'q'.repeat(58)}`;

/** A request about epoch 7, which is round 2, or another. */
function request(id: bigint, change: Partial<EpochRequest> = {}): EpochRequest {
  const piece = { tree: EpochTree.EPOCH_TREE_RECEIPTS, first: 0, attribution: NO_HASH };
  return EpochRequest.create({ id, epochId: 7n, piece, deadline: 90n, ...change });
}

/** A chain with open requests, which refuses some, and whatever somebody else has answered. */
class Asked {
  readonly open: Map<bigint, EpochRequest>;
  /** Ids of each transaction that passed; of each that was tried. */
  readonly taken: (readonly bigint[])[] = [];
  readonly tried: (readonly bigint[])[] = [];
  readonly pieces: ServedPiece[] = [];
  readonly told: bigint[] = [];
  readonly alarms: bigint[] = [];
  readonly answerer: RequestAnswerer;
  readonly #refused: ReadonlySet<bigint>;
  /** What somebody else answers when it is tried first. */
  readonly #stolen: Set<bigint>;

  constructor(
    requests: readonly EpochRequest[],
    {
      ofRound = async () => epoch,
      refused = [],
      stolen = [],
    }: {
      readonly ofRound?: (round: bigint) => Promise<PublishedEpoch>;
      readonly refused?: readonly bigint[];
      readonly stolen?: readonly bigint[];
    } = {},
  ) {
    this.open = new Map(requests.map((one) => [one.id, one]));
    this.#refused = new Set(refused);
    this.#stolen = new Set(stolen);
    const logger = {
      info: (facts: object) => void this.told.push((facts as { readonly request: bigint }).request),
      warn: () => undefined,
      error: (facts: object) => void this.alarms.push((facts as { readonly request: bigint }).request),
    };
    this.answerer = new RequestAnswerer({ chain: this.#chain(), epochs: { ofRound }, logger });
  }

  async look(turnsMax = 1_000): Promise<this> {
    await takeTurns([this.answerer.transactions()], turnsMax);
    return this;
  }

  #chain() {
    const of = (epochId: bigint) => [...this.open.values()].filter((one) => one.epochId === epochId);
    return {
      rounds: async () => [1n, 2n, 3n].map((id) => Round.create({ id, epochId: id === 1n ? 0n : id + 5n })),
      epoch: async (id: bigint) => Epoch.create({ id, roundId: id - 5n, openRequests: of(id).length }),
      requests: async (epochId: bigint) => of(epochId),
      servePieces: async (answers: readonly ServedPiece[]) => {
        const ids = answers.map(({ requestId }) => requestId);
        this.tried.push(ids);
        for (const id of ids) if (this.#stolen.has(id)) this.open.delete(id);
        if (ids.some((id) => this.#refused.has(id) || !this.open.has(id)))
          throw new LedgerError('attest.refused', 'there is no open request');
        for (const id of ids) this.open.delete(id);
        this.taken.push(ids);
        this.pieces.push(...answers);
      },
    };
  }
}

const { epoch } = makeWorld(new Dice(randomFrom(61)), { receiptsMax: 40 });
const range = (from: bigint, count: number): readonly bigint[] =>
  Array.from({ length: count }, (_, i) => from + BigInt(i));
const TEN = range(1n, 10);

test('all that is open is answered at once, with what opens the roots', async () => {
  const asked = await new Asked(TEN.map((id) => request(id))).look();
  expect([asked.taken, asked.told, asked.alarms]).toEqual([[TEN], TEN, []]);
  const { receipts } = epoch.commitment;
  for (const { opening } of asked.pieces)
    verifyRun(RECEIPTS, receipts, { run: runOf(RECEIPTS, receipts, 0), opening });
});

test('over all epochs the earliest deadline is answered first, then the lowest id', async () => {
  const deadlines = [90n, 70n, 80n, 70n, 60n, 90n];
  const requests = deadlines.map((deadline, i) =>
    request(BigInt(6 - i), { deadline, epochId: i % 2 === 0 ? 7n : 8n }),
  );
  const { taken } = await new Asked(requests).look();
  expect(taken).toEqual([[2n, 3n, 5n, 4n, 1n, 6n]]);
});

test('an epoch is taken from the disk once for many answers', async () => {
  const loaded: bigint[] = [];
  const ofRound = async (round: bigint) => {
    if (loaded.at(-1) !== round) loaded.push(round);
    return epoch;
  };
  const requests = range(1n, 40).map((id) => request(id, { epochId: 7n + (id % 2n) }));
  const { taken } = await new Asked(requests, { ofRound }).look();
  expect([taken.flat(), loaded]).toEqual([range(1n, 40), [2n, 3n]]);
});

test('one that the chain refuses is found by halves, and takes no other with it', async () => {
  const asked = await new Asked(
    TEN.map((id) => request(id)),
    { refused: [3n] },
  ).look();
  expect(asked.taken.flat()).toEqual(TEN.filter((id) => id !== 3n));
  expect([asked.told.length, asked.alarms]).toEqual([9, [3n]]);
  expect(asked.tried.map((ids) => ids.length)).toEqual([10, 5, 3, 2, 1, 2, 5]);
});

test('what was refused is tried behind all others in the next look', async () => {
  const asked = new Asked(
    TEN.map((id) => request(id)),
    { refused: [1n, 2n] },
  );
  await asked.look();
  for (const id of range(11n, 4)) asked.open.set(id, request(id));
  asked.tried.length = 0;
  await asked.look();
  expect(asked.tried[0]).toEqual([...range(11n, 4), 1n, 2n]);
  expect(asked.open.size).toBe(2);
});

test('what somebody else has answered is not tried again, and no alarm', async () => {
  const asked = await new Asked(
    TEN.map((id) => request(id)),
    { stolen: [2n, 9n] },
  ).look();
  const left = TEN.filter((id) => id !== 2n && id !== 9n);
  expect(asked.tried).toEqual([TEN, left]);
  expect([asked.taken, asked.told, asked.alarms]).toEqual([[left], left, []]);
  const alone = await new Asked([request(1n)], { stolen: [1n] }).look();
  expect([alone.tried, alone.alarms]).toEqual([[[1n]], []]);
});

test('a look that is cut off has sent so many transactions, and the next goes on', async () => {
  const asked = new Asked(range(1n, 300).map((id) => request(id)));
  await asked.look(1);
  expect(asked.tried).toHaveLength(1);
  await asked.look();
  expect(asked.taken.flat()).toEqual(range(1n, 300));
});

test('what the epoch does not have, or is lost, is an alarm, and the rest is answered', async () => {
  const hash = { tree: EpochTree.EPOCH_TREE_UNSPECIFIED, first: 0, attribution: new Uint8Array(32).fill(9) };
  const far = { tree: EpochTree.EPOCH_TREE_RECEIPTS, first: 2 ** 31, attribution: NO_HASH };
  const none = [request(1n), request(2n, { piece: far }), request(3n, { piece: hash })];
  const { taken, alarms } = await new Asked(none).look();
  expect([taken, alarms]).toEqual([[[1n]], [2n, 3n]]);
  const ofRound = async (): Promise<PublishedEpoch> => {
    throw new LedgerError('gateway.lost_epoch', 'the file is missing');
  };
  expect(await new Asked(none, { ofRound }).look()).toMatchObject({ taken: [], alarms: [1n, 2n, 3n] });
});

/** A transaction of these, as a node gets it. */
function txBytes(pieces: readonly ServedPiece[]): number {
  const messages = pieces.map((piece) => anyOf(MsgServeEpochPiece, { sender: SENDER, ...piece }));
  return TxBody.encode(TxBody.create({ messages })).length;
}

test.each([
  ['the longest', ATTRIBUTION_BYTES_MAX],
  ['short', 100],
])('a transaction of %s answers is what a node with default limits takes', async (_, bytes) => {
  const attribution = new Uint8Array(bytes).fill(1);
  const served = { ...epoch, attribution: () => attribution };
  const piece = { tree: EpochTree.EPOCH_TREE_UNSPECIFIED, first: 0, attribution: new Uint8Array(32) };
  const requests = range(1n, 300).map((id) => request(id, { piece }));
  const { taken, pieces } = await new Asked(requests, { ofRound: async () => served }).look();
  expect(taken.flat()).toHaveLength(300);
  expect(Math.max(...taken.map((ids) => ids.length))).toBe(bytes === 100 ? TX_ANSWERS_MAX : 17);
  const first = txBytes(pieces.slice(0, taken[0]?.length));
  expect(first).toBeLessThan(DEFAULT_MEMPOOL_CONFIG.txBytesMax);
  // A simulation has it in hexadecimal.
  expect(2 * first + 1_000).toBeLessThan(DEFAULT_RPC_CONFIG.bodyBytesMax);
});
