import { expect, test } from 'vitest';
import { JsonReader } from '../../framework/json.ts';
import { messageFromJson, messageToJson } from '../../framework/proto-json.ts';
import { openLeaves } from '../../gateway/epochs/published.ts';
import { EpochTree } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { EpochState, GenesisState } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import * as wire from '../../proto/gen/openledger/settlement/v1/tx.ts';
import { SettlementWorld } from '../../test/support/settlement-world.ts';
import { anyOf } from '../../test/support/test-chain.ts';

const BLANK = { denom: 'uopen', amount: '0' };

/** Epoch 1 is final, one of its two entitlements is claimed; 2 is pending, with a request; round 3 is open. */
function exported(): { readonly world: SettlementWorld; readonly state: GenesisState } {
  const world = new SettlementWorld({ requestBond: 10n, requestBlocks: 50 });
  const { watcher } = world;
  world.register();
  world.claim([0, 1_260n]);
  const first = world.published(world.receipts(), 0);
  world.settle(first);
  world.waitWindow();
  world.chain.block();
  const opening = openLeaves(first.entitlements, [0]);
  const claim = { sender: watcher.address, epochId: 1n, index: 0, opening };
  world.sendOk(watcher, anyOf(wire.MsgClaimEntitlement, claim));
  world.claim([0, 2_520n], [5, 7n]);
  world.settle(world.published());
  world.claim([0, 2_521n], [1, 5n]);
  const bond = { denom: 'uopen', amount: '10' };
  const asked = {
    requester: watcher.address,
    epochId: 2n,
    tree: EpochTree.EPOCH_TREE_RECEIPTS,
    index: 0,
    bond,
  };
  const request = wire.MsgRequestEpochPiece.create(asked);
  world.sendOk(watcher, anyOf(wire.MsgRequestEpochPiece, request));
  world.sound();
  const json = new JsonReader(world.chain.app.exportState({}).appState['settlement'], 'settlement');
  return { world, state: messageFromJson(GenesisState, json) };
}

const { world, state } = exported();

/** Reads a genesis as a chain does that begins. */
function validate(changed: Partial<GenesisState>): void {
  const json = messageToJson(GenesisState, { ...state, ...changed });
  const module = world.chain.app.composition.modules.find(({ name }) => name === 'settlement');
  module?.genesis?.validate(new JsonReader(json, 'settlement'));
}

/** A list with one entry changed. */
function changed<T>(list: readonly T[], at: number, change: Partial<T>): T[] {
  return list.map((entry, i) => (i === at ? { ...entry, ...change } : entry));
}

const { gateways, rounds, lanes, epochs, claimedWords, requests } = state;
const [gateway] = gateways;
const [settled, open] = rounds;
const [lane] = lanes;
const [final, pending] = epochs;
const [word] = claimedWords;
const [request] = requests;
if (!gateway || !settled || !open || !lane || !final || !pending || !word || !request)
  throw new RangeError('not stocked');
const other = world.watcher.address;
const { PAYING, PENDING, FINAL } = {
  PAYING: EpochState.EPOCH_STATE_PAYING,
  PENDING: EpochState.EPOCH_STATE_PENDING,
  FINAL: EpochState.EPOCH_STATE_FINAL,
};
const truncated = { ...final.commitment, receipts: { ...final.commitment.receipts, sums: [1n, 1n, 1n, 1n] } };

test('what is exported is accepted as it is, and it has of everything', () => {
  expect([rounds.length, lanes.length, epochs.length]).toEqual([2, 4, 2]);
  expect(settled).toMatchObject({ id: 2n, epochId: 2n, claimed: '1267' });
  expect(final).toMatchObject({ state: FINAL, unclaimed: '630' });
  expect(() => validate({})).not.toThrow();
});

const WRONG: readonly (readonly [Partial<GenesisState>, RegExp])[] = [
  [{ gateways: [gateway, gateway] }, /gateways\[1\].*listed twice/],
  [{ gateways: [gateway, { ...gateway, address: gateway.address.toUpperCase() }] }, /gateways\[1\].*twice/],
  [{ gateways: [{ ...gateway, address: 'x' }] }, /gateways\[0\]/],
  [{ gateways: [{ ...gateway, receiptKey: new Uint8Array(31) }] }, /gateways\[0\].*31 bytes/],
  [{ gateways: [{ ...gateway, endpoint: 'ftp://x' }] }, /gateways\[0\].*endpoint/],
  [{ rounds: [open, settled] }, /rounds\[1\].*ids must ascend from 1, 2 follows 3/],
  [{ rounds: [settled, settled, open] }, /rounds\[1\].*2 follows 2/],
  [{ lastRoundId: 2n }, /rounds.*the last id is 3, the genesis says 2/],
  [{ rounds: changed(rounds, 1, { gateway: 'x' }) }, /rounds\[1\]/],
  [{ rounds: changed(rounds, 1, { denom: '' }) }, /rounds\[1\].*denomination/],
  [{ rounds: changed(rounds, 1, { claimed: '-6' }) }, /rounds\[1\].*holds -6/],
  [{ rounds: changed(rounds, 1, { claimed: '7' }) }, /rounds\[1\].*holds 7, its lanes add up to 6/],
  [{ rounds: changed(rounds, 1, { epochId: 9n }) }, /rounds\[1\].*stated by epoch 9/],
  [{ rounds: changed(rounds, 1, { closed: true, epochId: 2n }) }, /rounds\[1\].*stated by epoch 2/],
  [{ rounds: changed(rounds, 0, { closed: false }) }, /rounds\[0\].*must be closed/],
  [
    { rounds: [...rounds, { ...open, id: 4n, claimed: '0' }], lastRoundId: 4n },
    /rounds\[2\].*open round.*twice/,
  ],
  [{ lanes: [...lanes, { ...lane, roundId: 9n }] }, /lanes\[4\].*no round 9/],
  [{ lanes: [...lanes, lane] }, /lanes\[4\].*listed twice/],
  [{ lanes: changed(lanes, 0, { to: lane.from }) }, /lanes\[0\].*empty/],
  [{ lanes: changed(lanes, 0, { channelId: new Uint8Array(31) }) }, /lanes\[0\].*31 bytes/],
  [{ lanes: lanes.slice(1) }, /rounds\[0\].*holds 1267, its lanes add up to 7/],
  [{ epochs: [pending, final] }, /epochs\[1\].*1 follows 2/],
  [{ lastEpochId: 1n }, /epochs.*the last id is 2, the genesis says 1/],
  [{ epochs: changed(epochs, 0, { gateway: 'x' }) }, /epochs\[0\]/],
  [{ epochs: changed(epochs, 0, { denom: '1' }) }, /epochs\[0\].*denomination/],
  [{ epochs: changed(epochs, 0, { bond: BLANK }) }, /epochs\[0\].*bond/],
  [{ rounds: [open], lanes: lanes.slice(2) }, /epochs\[1\].*states round 2, which is not there/],
  [{ rounds: changed(rounds, 0, { epochId: 0n }) }, /epochs\[1\].*not its own/],
  [{ epochs: changed(epochs, 1, { gateway: other }) }, /epochs\[1\].*not its own/],
  [{ epochs: changed(epochs, 1, { denom: 'uusd' }) }, /epochs\[1\].*not its own/],
  [{ epochs: changed(epochs, 1, { commitment: final.commitment }) }, /epochs\[1\].*1260, 1267 was claimed/],
  [{ epochs: changed(epochs, 0, { commitment: truncated }) }, /epochs\[0\].*add up/],
  [{ epochs: changed(epochs, 1, { paidRows: 1 }) }, /epochs\[1\].*1 of 2 rows paid/],
  [{ epochs: changed(epochs, 0, { paidRows: 1 }) }, /epochs\[0\].*1 of 0 rows paid/],
  [{ epochs: changed(epochs, 0, { state: 0 }), claimedWords: [] }, /epochs\[0\].*(state 0|not there)/],
  [{ epochs: changed(epochs, 0, { unclaimed: '883' }) }, /epochs\[0\].*883 unclaimed of 882/],
  [{ epochs: changed(epochs, 0, { unclaimed: '-1' }) }, /epochs\[0\].*-1 unclaimed of 882/],
  [{ epochs: changed(epochs, 1, { unclaimed: '1' }) }, /epochs\[1\].*1 unclaimed of 0/],
  [{ epochs: changed(epochs, 1, { state: PAYING }) }, /rounds\[0\].*it is paid/],
  [
    {
      epochs: changed(epochs, 1, { state: FINAL, paidRows: 2 }),
      rounds: changed(rounds, 0, { claimed: '0' }),
    },
    /requests\[0\].*not pending/,
  ],
  [{ claimedWords: [{ ...word, epochId: 2n }] }, /claimed_words\[0\].*no final epoch 2/],
  [{ claimedWords: [{ ...word, epochId: 9n }] }, /claimed_words\[0\].*no final epoch 9/],
  [{ claimedWords: [word, word] }, /claimed_words\[1\].*listed twice/],
  [{ claimedWords: [{ ...word, bits: 0n }] }, /claimed_words\[0\]/],
  [{ claimedWords: [{ ...word, bits: 4n }] }, /claimed_words\[0\].*2 entitlements/],
  [{ claimedWords: [{ ...word, word: 1 }] }, /claimed_words\[0\].*word 1/],
  [{ requests: [request, request] }, /requests\[1\].*ids must ascend/],
  [{ lastRequestId: 0n }, /requests.*the last id is 1, the genesis says 0/],
  [{ requests: [request, { ...request, id: 2n }], lastRequestId: 2n }, /requests\[1\].*this piece.*twice/],
  [{ requests: [{ ...request, requester: 'x' }] }, /requests\[0\]/],
  [{ requests: [{ ...request, bond: BLANK }] }, /requests\[0\].*bond/],
  [{ requests: [{ ...request, epochId: 3n }] }, /requests\[0\].*epoch 3, which never was/],
  [{ requests: [{ ...request, epochId: 0n }] }, /requests\[0\].*epoch 0, which never was/],
  [{ requests: [{ ...request, epochId: 1n }] }, /requests\[0\].*epoch 1 is not pending/],
  [
    { requests: [{ ...request, piece: { ...request.piece, tree: 9 as EpochTree } }] },
    /requests\[0\].*no piece|tree/,
  ],
  [
    { requests: [{ ...request, piece: { ...request.piece, attribution: new Uint8Array(32) } }] },
    /requests\[0\].*for no piece/,
  ],
  [{ requests: [] }, /epochs\[1\].*0 requests are about epoch 2, it has 1/],
  [
    { epochs: changed(epochs, 1, { openRequests: 2 }) },
    /epochs\[1\].*1 requests are about epoch 2, it has 2/,
  ],
];

test.each(WRONG.map(([change, expected]) => [expected.source, change, expected] as const))(
  'a genesis is refused, and where is said: %s',
  (_, change, expected) => {
    expect(() => validate(change)).toThrow(expected);
  },
);

test('a request about an epoch that was convicted waits for its deadline', () => {
  const gone = { requests: [request], epochs: [final], rounds: changed(rounds, 0, { epochId: 0n }) };
  expect(() => validate(gone)).not.toThrow();
  expect(PENDING).toBe(pending.state);
});
