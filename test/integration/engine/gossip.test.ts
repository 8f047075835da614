/** Four real engines, stores and logs with the real gossip and block sync over the network in memory. */
import { expect, test } from 'vitest';
import { countBits } from '../../../consensus/types/bit-array.ts';
import { chain, newHome, start, testHub, VALIDATORS } from './gossip-node.ts';
import { type TestNode, testGenesis } from './test-node.ts';

test('four validators over gossip; one dies and comes back, a full node joins late: one chain', async () => {
  const genesis = testGenesis(VALIDATORS);
  const hub = testHub();
  const homes = Array.from({ length: VALIDATORS }, (_, index) => newHome(index));
  const running = await Promise.all(homes.map((home) => start(hub, home, genesis)));
  const [first, , , last] = running;
  const lastHome = homes[3];
  if (first === undefined || last === undefined || lastHome === undefined) throw new Error('four nodes');
  await Promise.all(running.map(({ node }) => node.reached(6n)));
  await last.stop();
  const stoppedAt = last.node.engine.lastHeight();
  await first.node.reached(stoppedAt + 6n);
  const back = await start(hub, lastHome, genesis);
  const follower = await start(hub, newHome(9), genesis, { validates: false });
  const target = first.node.engine.lastHeight() + 8n;
  await Promise.all([first, back, follower].map(({ node }) => node.reached(target)));
  const expected = chain(first.node, 1n, target);
  expect(chain(back.node, 1n, target)).toEqual(expected);
  expect(chain(follower.node, 1n, target)).toEqual(expected);
  // It takes part again: one of the last blocks was proposed by it or carries its signature.
  const commit = first.node.blocks.commit(target - 1n);
  expect(commit?.signatures.filter(({ blockIdFlag }) => blockIdFlag === 'commit').length).toBeGreaterThan(2);
  await Promise.all([...running.slice(0, 3), back, follower].map((one) => one.stop()));
}, 60_000);

test('without two of four there is no block; with three again there is, and no fork', async () => {
  const genesis = testGenesis(VALIDATORS);
  const hub = testHub();
  const homes = Array.from({ length: VALIDATORS }, (_, index) => newHome(index));
  const [a, b, c, d] = await Promise.all(homes.map((home) => start(hub, home, genesis)));
  if (!a || !b || !c || !d) throw new Error('four nodes');
  await Promise.all([a, b, c, d].map(({ node }) => node.reached(3n)));
  await Promise.all([c.stop(), d.stop()]);
  const undecided = await onlyTwoPrevote([a.node, b.node]);
  expect([a, b].map(({ node }) => node.engine.lastHeight())).toEqual([undecided - 1n, undecided - 1n]);
  const again = await start(hub, homes[2] ?? newHome(2), genesis);
  const target = undecided + 3n;
  await Promise.all([a, b, again].map(({ node }) => node.reached(target)));
  expect(chain(b.node, 1n, target)).toEqual(chain(a.node, 1n, target));
  expect(chain(again.node, 1n, target)).toEqual(chain(a.node, 1n, target));
  // It took all three: nothing was decided while there were two.
  const commit = a.node.blocks.seenCommit(undecided);
  expect(commit?.signatures.filter(({ blockIdFlag }) => blockIdFlag === 'commit').length).toBe(3);
  await Promise.all([a, b, again].map((one) => one.stop()));
}, 60_000);

test('a validator that was cut off after it joined catches up when it can be reached again', async () => {
  const genesis = testGenesis(VALIDATORS);
  const hub = testHub();
  const homes = Array.from({ length: VALIDATORS }, (_, index) => newHome(index));
  const running = await Promise.all(homes.map((home) => start(hub, home, genesis)));
  const [first, , , last] = running;
  if (first === undefined || last === undefined) throw new Error('four nodes');
  await Promise.all(running.map(({ node }) => node.reached(3n)));
  for (const other of [0, 1, 2]) hub.cut('node3', `node${other}`);
  await first.node.reached(last.node.engine.lastHeight() + 20n);
  expect(first.node.engine.lastHeight() - last.node.engine.lastHeight()).toBeGreaterThan(15n);
  for (const other of [0, 1, 2]) hub.heal('node3', `node${other}`);
  const target = first.node.engine.lastHeight() + 5n;
  await Promise.all([first, last].map(({ node }) => node.reached(target)));
  expect(chain(last.node, 1n, target)).toEqual(chain(first.node, 1n, target));
  await Promise.all(running.map((one) => one.stop()));
}, 60_000);

/** Resolves with a height at which these nodes hold the prevotes of two validators, and no more. */
function onlyTwoPrevote(nodes: readonly TestNode[]): Promise<bigint> {
  return new Promise((resolve) => {
    const stops = nodes.map(({ engine }) => engine.onEvent(() => look()));
    look();

    function look(): void {
      const heights = nodes.map(({ engine }) => {
        const consensus = engine.consensus();
        const prevotes = consensus?.votes(0, 'prevote');
        const isStuck = prevotes !== undefined && countBits(prevotes.bits) === 2;
        return isStuck ? consensus?.view().height : undefined;
      });
      const [height] = heights;
      if (height === undefined || heights.some((other) => other !== height)) return;
      for (const stop of stops) stop();
      resolve(height);
    }
  });
}
