/** A validator whose key has signed what its home does not know: it stops before it signs. */
import { cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { toHex } from '../../../core/bytes.ts';
import { messageOf } from '../../../core/errors.ts';
import { sha256 } from '../../../core/hash.ts';
import { ed25519Signer } from '../../../node/crypto/ed25519.ts';
import type { MemoryHub } from '../../../p2p/memory.ts';
import { newHome, type Running, start, testHub, VALIDATORS } from './gossip-node.ts';
import { seedOf, type TestHome, testGenesis } from './test-node.ts';

const running: Set<Running> = new Set();

afterEach(async () => {
  for (const one of running) await one.stop();
  running.clear();
});

const addressOf = (index: number): Uint8Array => sha256(ed25519Signer(seedOf(index)).publicKey).slice(0, 20);

interface World {
  readonly hub: MemoryHub;
  readonly genesis: ReturnType<typeof testGenesis>;
  readonly homes: readonly TestHome[];
  readonly nodes: readonly Running[];
}

async function world(): Promise<World> {
  const [hub, genesis] = [testHub(), testGenesis(VALIDATORS)];
  const homes = Array.from({ length: VALIDATORS }, (_, index) => newHome(index));
  const nodes = await Promise.all(homes.map((home) => start(hub, home, genesis)));
  for (const node of nodes) running.add(node);
  await Promise.all(nodes.map(({ node }) => node.reached(3n)));
  return { hub, genesis, homes, nodes };
}

async function stop(one: Running): Promise<void> {
  running.delete(one);
  await one.stop();
}

function copyOf(home: TestHome): TestHome {
  const directory = mkdtempSync(join(tmpdir(), 'restored-'));
  cpSync(home.directory, directory, { recursive: true });
  return { directory, index: home.index, application: { ...home.application } };
}

test('a whole home restored from an old copy is noticed after block sync, and nothing is signed', async () => {
  const { hub, genesis, homes, nodes } = await world();
  const [first, , , last] = nodes;
  const home = homes[3];
  if (first === undefined || last === undefined || home === undefined) throw new Error('four nodes');
  await stop(last);
  const copy = copyOf(home);
  const again = await start(hub, home, genesis);
  running.add(again);
  const address = toHex(addressOf(home.index));
  await signedAfter(again.node.engine.lastHeight() + 3n);
  await stop(again);

  const published: string[] = [];
  const restored = await start(hub, copy, genesis, {
    beforePublish: ({ kind }) => void published.push(kind),
  });
  running.add(restored);
  expect(messageOf(await restored.node.fatal)).toMatch(/signing state .* stands at height \d+.*old copy/);
  expect(published).toEqual([]);
  // The others do not miss it.
  await first.node.reached(first.node.engine.lastHeight() + 2n);

  /** The validator's own signature is in the commit of a block at or past that height. */
  async function signedAfter(height: bigint): Promise<void> {
    for (let at = height; ; at++) {
      await first?.node.reached(at + 1n);
      const commit = first?.node.blocks.commit(at);
      if (commit?.signatures.some((entry) => toHex(entry.validatorAddress) === address) === true) return;
    }
  }
}, 60_000);

test('double_sign_check_height keeps a validator away until its last signature is that many blocks old', async () => {
  const { hub, genesis, homes, nodes } = await world();
  const [first, , , last] = nodes;
  const home = homes[3];
  if (first === undefined || last === undefined || home === undefined) throw new Error('four nodes');
  await stop(last);
  const stoppedAt = last.node.engine.lastHeight();
  const refused = await start(hub, home, genesis, { doubleSignCheckHeight: 1_000 });
  running.add(refused);
  expect(messageOf(await refused.node.fatal)).toContain('double_sign_check_height = 1000');
  await stop(refused);
  await first.node.reached(stoppedAt + 6n);
  const back = await start(hub, home, genesis, { doubleSignCheckHeight: 2 });
  running.add(back);
  await back.node.reached(stoppedAt + 10n);
}, 60_000);
