/** Four real engines, stores and logs with the real gossip and block sync over the network in memory. */
import { expect, test } from 'vitest';
import { chain, newHome, start, testHub, VALIDATORS } from './gossip-node.ts';
import { testGenesis } from './test-node.ts';

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
  const stuckAt = (): bigint => a.node.engine.lastHeight();
  let before = stuckAt();
  for (let round = 0; round < 20; round++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    if (stuckAt() === before) continue;
    before = stuckAt();
    round = 0;
  }
  const again = await start(hub, homes[2] ?? newHome(2), genesis);
  await Promise.all([a, b, again].map(({ node }) => node.reached(before + 4n)));
  expect(chain(b.node, 1n, before + 4n)).toEqual(chain(a.node, 1n, before + 4n));
  expect(chain(again.node, 1n, before + 4n)).toEqual(chain(a.node, 1n, before + 4n));
  await Promise.all([a, b, again].map((one) => one.stop()));
}, 60_000);
