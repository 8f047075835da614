/** The window of a shard or a card stands still while a request about it is open. */
import { beforeEach, expect, test } from 'vitest';
import { INFLUENCE_TREES } from '../../modules/attribution/proof/influence/trees.ts';
import { openPiece } from '../../attest/influence/open-piece.ts';
import { SHARD_TREES } from '../../modules/attribution/proof/kinds.ts';
import { branchOver } from '../../store/branch.ts';
import { Context } from '../../framework/context.ts';
import { unlimitedGas } from '../../framework/gas.ts';
import { JsonReader } from '../../framework/json.ts';
import type { Window } from '../../modules/attribution/standing.ts';
import { attributionState } from '../../modules/attribution/state.ts';
import { ObjectState } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { publishIndexOk, shardOf, standingOfIndex } from '../support/attribution-world.ts';
import { deliverOk } from '../support/economic-loop.ts';
import { TestChain } from '../support/test-chain.ts';
import {
  askOk,
  begin,
  blocksTo,
  expectRefused,
  expectWhole,
  head,
  influenceClaim,
  leafAt,
  loop,
  pieceOf,
  publishCard,
  serving,
  standingOfCard,
  submitting,
} from '../support/request-world.ts';

const { OBJECT_STATE_PENDING: PENDING, OBJECT_STATE_ACTIVE: ACTIVE } = ObjectState;
const WINDOW = 20;
const PLACES = [SHARD_TREES.text, SHARD_TREES.suffix, SHARD_TREES.inverse, SHARD_TREES.documents];

beforeEach(() =>
  begin({ requestBlocks: 15, challengeBlocks: WINDOW, claimBlocks: 40, unbondingBlocks: 200 }),
);

test('a publisher who answers in the last block gains no time; who answers at once loses none', () => {
  const { chain, attestor, challenger } = loop;
  publishIndexOk(loop, attestor, [shardOf(loop).commitment]);
  const first = chain.height;
  let stood = 0n;
  for (const tree of PLACES.slice(0, 2)) {
    const { requestId, deadline } = askOk(challenger, { shardId: 1n, place: leafAt(tree) });
    const asked = chain.height;
    blocksTo(deadline - 1n);
    expect(standingOfIndex(loop, 1n)).toBe(PENDING);
    expectWhole();
    deliverOk(chain, attestor, serving(attestor, requestId, pieceOf(leafAt(tree))));
    stood += chain.height - asked;
  }
  // More than the window has passed, and none of it but the blocks between.
  expect(chain.height - first).toBeGreaterThan(WINDOW);
  expect(standingOfIndex(loop, 1n)).toBe(PENDING);
  blocksTo(first + BigInt(WINDOW) + stood - 1n);
  expect(standingOfIndex(loop, 1n)).toBe(PENDING);
  chain.block();
  expect(standingOfIndex(loop, 1n)).toBe(ACTIVE);
  // What is asked now stops nothing.
  askOk(challenger, { shardId: 1n, place: leafAt(SHARD_TREES.inverse) });
  expect(standingOfIndex(loop, 1n)).toBe(ACTIVE);
  expectWhole();
});

test('no claim rests on a card while a request about it is open in its window', () => {
  const { chain, seller, attestor, challenger } = loop;
  const cardId = publishCard(head.card.card);
  const published = chain.height;
  blocksTo(published + BigInt(WINDOW) - 2n);
  const place = { tree: INFLUENCE_TREES.examples, document: 0, chunk: 0 };
  const { requestId } = askOk(challenger, { cardId, place });
  blocksTo(published + BigInt(WINDOW) + 5n);
  expect(standingOfCard(cardId)).toBe(PENDING);
  expect(expectRefused(attestor, submitting(influenceClaim(cardId)), 'not-usable')).toContain('window');
  deliverOk(chain, seller, serving(seller, requestId, openPiece(head.card, place)));
  expect(standingOfCard(cardId)).toBe(PENDING);
  chain.block();
  expect(standingOfCard(cardId)).toBe(ACTIVE);
  deliverOk(chain, attestor, submitting(influenceClaim(cardId)));
  expectWhole();
});

test.each(['shards', 'cards'])(
  'a genesis is refused whose windows of %s cannot be, and says which',
  (list) => {
    publishIndexOk(loop, loop.attestor, [shardOf(loop).commitment]);
    publishCard(head.card.card);
    const { appState } = loop.chain.app.exportState();
    const section = new JsonReader(appState, '').member('attribution').object();
    const objects = new JsonReader(section, '').member(list).elements();
    const refusal = (change: Record<string, string>): string => {
      const changed = objects.map((one) => ({ ...one.object(), ...change }));
      const attribution = JSON.parse(JSON.stringify({ ...section, [list]: changed }));
      try {
        new TestChain({ genesis: { sections: { attribution } } });
      } catch (error) {
        return String(error);
      }
      return '';
    };
    const negative = `app_state.attribution.${list}: 1 has a negative paused_height or pause_left`;
    expect(refusal({ paused_height: '-1' })).toContain(negative);
    expect(refusal({ pause_left: '-1' })).toContain(negative);
    const still = `app_state.attribution.${list}: 1 stands still although nothing is asked about it`;
    expect(refusal({ paused_height: '2' })).toContain(still);
    const long = `app_state.attribution.${list}: 1 could stand still for`;
    expect(refusal({ pause_left: `${2 * WINDOW + 1}` })).toContain(`${long} ${2 * WINDOW + 1} blocks more`);
  },
);

test('an invariant tells of a window that stands still for nothing, and of which', () => {
  publishIndexOk(loop, loop.attestor, [shardOf(loop).commitment]);
  const cardId = publishCard(head.card.card);
  const { app, height } = loop.chain;
  const state = attributionState();
  const requests = app.composition.modules
    .flatMap(({ name, invariants }) => (name === 'attribution' ? invariants : []))
    .find(({ name }) => name === 'requests');
  const broken = (list: 'shards' | 'cards', change: Partial<Window>): string | undefined => {
    const read = app.contextAt(height);
    const branch = branchOver(read);
    const context = new Context({ branch, block: read.block, mode: 'genesis', gas: unlimitedGas() });
    if (list === 'shards') {
      const shard = state.shards.get(context, 1n);
      if (shard !== undefined) state.shards.set(context, 1n, { ...shard, ...change });
    } else {
      const card = state.cards.get(context, cardId);
      if (card !== undefined) state.cards.set(context, cardId, { ...card, ...change });
    }
    return requests?.check(context);
  };
  for (const [list, name] of [
    ['shards', 'shard'],
    ['cards', 'card'],
  ] as const) {
    expect(broken(list, {})).toBeUndefined();
    expect(broken(list, { pausedHeight: 2n })).toMatch(new RegExp(`${name} 1 stands still`));
    expect(broken(list, { pauseLeft: -1n })).toMatch(new RegExp(`${name} 1 has a negative`));
    const left = 2n * BigInt(WINDOW) + 1n;
    expect(broken(list, { pauseLeft: left })).toMatch(new RegExp(`${name} 1 could stand still for ${left}`));
  }
});
