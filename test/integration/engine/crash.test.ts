import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EMPTY_BYTES, toHex } from '../../../core/bytes.ts';
import type { ConsensusPublisher } from '../../../node/engine/ports.ts';
import type { Genesis } from '../../../node/state/chain-state.ts';
import { CrashDisk, CrashPoint } from './crash-disk.ts';
import { chain, newHome as gossipHome, start, testHub, VALIDATORS } from './gossip-node.ts';
import { Broadcast, openTestNode, type TestHome, type TestNode, testGenesis } from './test-node.ts';
import { mortalSigner, Witness } from './witness.ts';

interface Life {
  readonly home: TestHome;
  readonly disk: CrashDisk;
  readonly genesis: Genesis;
  readonly publisher: ConsensusPublisher;
  readonly witness: Witness;
  readonly point: CrashPoint;
}

/** A node whose log, signer, stores and network stop working at the crash point. */
async function live(life: Life): Promise<TestNode> {
  const { point } = life;
  const node = await openTestNode({
    home: life.home,
    genesis: life.genesis,
    publisher: {
      publish: (message) => {
        point.step('publish');
        life.witness.see(message);
        life.publisher.publish(message);
      },
      misbehaved: life.publisher.misbehaved,
    },
    walFiles: () => life.disk.files(point),
    wrapSigner: (signer) => mortalSigner(signer, point),
    beforeStep: (step) => point.step(step),
  });
  node.engine.start();
  return node;
}

async function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing for ${ms} ms`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

const newHome = (index: number): TestHome => ({
  directory: mkdtempSync(join(tmpdir(), 'crash-')),
  index,
  application: { height: 0n, hash: EMPTY_BYTES },
});

const hashes = (node: TestNode): ReadonlyMap<bigint, string> =>
  new Map(node.committed.map(({ height, blockId }) => [height, toHex(blockId.hash)]));

for (const kind of ['process', 'power'] as const) {
  test(`one validator, ${kind} dies at every step of two heights: it restarts, goes on, never signs twice`, async () => {
    const genesis = testGenesis(1);
    let crashes = 0;
    for (let steps = 0; ; steps++) {
      const witness = new Witness();
      const network = new Broadcast();
      const shared = {
        home: newHome(0),
        disk: new CrashDisk(),
        genesis,
        witness,
        publisher: network.publisher(0),
      };
      const point = new CrashPoint(steps);
      const before = await live({ ...shared, point }).catch(() => undefined);
      before?.engine.joinConsensus();
      await Promise.race([point.died, before?.reached(2n)]).catch(() => undefined);
      const crashed = point.dead;
      point.dead = true;
      await before?.stop().catch(() => undefined);
      if (!crashed) break;
      crashes++;
      shared.disk.crash(kind, steps % 17);
      const after = await live({ ...shared, point: new CrashPoint(Number.POSITIVE_INFINITY) });
      const continued = after.engine.lastHeight();
      expect(continued).toBeGreaterThanOrEqual(before?.engine.lastHeight() ?? 0n);
      after.engine.joinConsensus();
      await within(10_000, `restart after ${steps} steps`, after.reached(continued + 2n));
      for (const [height, hash] of before === undefined ? [] : hashes(before)) {
        expect(toHex(after.blocks.blockId(height)?.hash ?? EMPTY_BYTES)).toBe(hash);
      }
      await after.stop();
      expect(witness.doubles, `after ${steps} steps`).toEqual([]);
    }
    expect(crashes).toBeGreaterThan(30);
  }, 120_000);
}

/** Numbers that look random and are the same in every run (xorshift). */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

test('all four validators die at the same moment, ten times: one chain, nothing signed twice', async () => {
  const genesis = testGenesis(VALIDATORS);
  const seed = Number(process.env['CRASH_SEED'] ?? 20_261_121);
  const next = numbers(seed);
  const witness = new Witness();
  const homes = Array.from({ length: VALIDATORS }, (_, index) => gossipHome(index));
  const disks = homes.map(() => new CrashDisk());
  const committed: string[] = [];
  for (let life = 0; life <= 10; life++) {
    const last = life === 10;
    const point = new CrashPoint(last ? Number.POSITIVE_INFINITY : 40 + next(400));
    const hub = testHub();
    const nodes = await Promise.all(
      homes.map((home, index) =>
        start(hub, home, genesis, {
          walFiles: () => disks[index]?.files(point) ?? new CrashDisk().files(point),
          wrapSigner: (signer) => mortalSigner(signer, point),
          beforeStep: (step) => point.step(step),
          beforePublish: (message) => {
            point.step('publish');
            witness.see(message);
          },
        }).catch((error: unknown) => {
          if (!point.dead) throw error;
          return undefined;
        }),
      ),
    );
    const alive = nodes.filter((node) => node !== undefined);
    const goal = BigInt(committed.length) + 5n;
    const progress = Promise.all(alive.map(({ node }) => node.reached(goal))).then(() => undefined);
    await within(
      30_000,
      `life ${life}`,
      last ? progress : Promise.race([point.died, progress.then(() => point.died)]),
    );
    const height = alive.map(({ node }) => node.engine.lastHeight()).reduce((a, b) => (a > b ? a : b), 0n);
    const chains = alive.map(({ node }) => chain(node, 1n, node.engine.lastHeight()));
    const longest = chains.reduce((a, b) => (b.length > a.length ? b : a), committed);
    for (const one of [...chains, committed]) expect(one).toEqual(longest.slice(0, one.length));
    committed.splice(0, committed.length, ...longest);
    point.dead = true;
    await Promise.all(alive.map((node) => node.stop().catch(() => undefined)));
    for (const disk of disks) disk.crash(next(2) === 0 ? 'process' : 'power', next(40));
    expect(witness.doubles, `CRASH_SEED=${seed}, life ${life}, height ${height}`).toEqual([]);
  }
  expect(committed.length).toBeGreaterThan(10);
}, 120_000);
