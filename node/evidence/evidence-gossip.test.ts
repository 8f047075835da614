import { afterEach, beforeEach, expect, it } from 'vitest';
import { encodeEvidenceList } from '../../consensus/types/evidence.ts';
import { CHANNELS, EVIDENCE_CHANNEL } from '../../p2p/channels.ts';
import { DEFAULT_LIMITS, type Network } from '../../p2p/network.ts';
import { memoryWorld } from '../../p2p/testing.ts';
import { corruptRecord } from '../checksum.ts';
import { EvidenceGossip, REPEAT_INTERVAL_MS } from './evidence-gossip.ts';
import { EvidencePool } from './evidence-pool.ts';
import { EvidenceStore } from './evidence-store.ts';
import { memoryDatabase, quiet, TestChain, testEvidence, testVerify } from './testing.ts';

let world: ReturnType<typeof memoryWorld>;
let errors: string[] = [];
const log = { ...quiet, error: (_: object, message: string) => errors.push(message) };
beforeEach(() => {
  world = memoryWorld();
  errors = [];
});
afterEach(() => world.close());

interface TestNode {
  readonly network: Network;
  readonly chain: TestChain;
  readonly pool: EvidencePool;
}

async function node(height = 10n): Promise<TestNode> {
  const network = await world.create({ channels: CHANNELS, limits: DEFAULT_LIMITS });
  const chain = new TestChain(height);
  const store = await EvidenceStore.open('memory', async () => memoryDatabase());
  const pool = await EvidencePool.open({ store, chain, verify: testVerify, log: quiet }, chain.state());
  new EvidenceGossip({ network, pool, timers: world.timers, log }).start();
  await network.start();
  return { network, chain, pool };
}

const join = (a: TestNode, b: TestNode): void =>
  a.network.addPersistentPeer(b.network.listenAddresses()[0] ?? '');

it('evidence passes along a chain of nodes and reaches one that connects later', async () => {
  const [a, b, c, late] = [await node(), await node(), await node(), await node()];
  join(a, b);
  join(b, c);
  await world.until('all are connected', () => b.network.peers().length === 2);
  a.pool.add(testEvidence(5n));
  await world.until('it is there', () => c.pool.size === 1);
  join(late, c);
  await world.until('the late one has it', () => late.pool.size === 1);
  expect(late.pool.all()).toEqual([testEvidence(5n)]);
  expect(a.network.metrics.messagesReceived['evidence'] ?? 0).toBe(0); // nothing comes back to its origin
});

it('a node that does not have the height yet is given the evidence again', async () => {
  const [ahead, behind] = [await node(), await node(3n)];
  join(ahead, behind);
  ahead.pool.add(testEvidence(5n));
  await world.timers.advance(1_000);
  expect(behind.pool.size).toBe(0);
  expect(behind.network.metrics.penalties).toBe(0);
  behind.chain.height = 10n;
  await behind.pool.update(behind.chain.state(), []);
  await world.timers.advance(REPEAT_INTERVAL_MS);
  expect(behind.pool.size).toBe(1);
});

it('who sends evidence that this node cannot judge for a damaged record is not blamed', async () => {
  const damaged = await node();
  damaged.chain.header = () => {
    throw corruptRecord(new Uint8Array(1), { directory: 'd', repair: 'r' }, 'damaged');
  };
  const peer = await node();
  join(peer, damaged);
  await world.until('connected', () => damaged.network.peers().length === 1);
  const told = world.until('told', () => errors.length > 0);
  peer.pool.add(testEvidence(5n));
  await told;
  expect(errors).toEqual([expect.stringContaining('the database d is damaged')]);
  expect(damaged.pool.size).toBe(0);
  expect(damaged.network.metrics.penalties).toBe(0);
});

it('who sends false evidence, too much of it or none at all is banned', async () => {
  const good = testEvidence(5n);
  const other = testEvidence(5n, 1);
  const forged = { ...other, voteB: { ...other.voteB, signature: Uint8Array.of(7) } };
  const attempts = [
    encodeEvidenceList([good, forged]),
    encodeEvidenceList(Array.from({ length: 17 }, (_, i) => testEvidence(5n, 0, [`a${i}`, `b${i}`]))),
    Uint8Array.of(0x0a, 0x03, 1, 2, 3),
  ];
  for (const [i, bytes] of attempts.entries()) {
    const honest = await node();
    const liar = await world.create({ channels: CHANNELS });
    await liar.start();
    liar.addPersistentPeer(honest.network.listenAddresses()[0] ?? '');
    await world.until('connected', () => liar.peers().length === 1);
    liar.send(liar.peers()[0]?.id ?? '', EVIDENCE_CHANNEL.name, bytes);
    await world.until(`attempt ${i} is punished`, () => honest.network.metrics.bans === 1);
    expect(honest.pool.all()).toEqual(i === 0 ? [good] : []);
  }
});
