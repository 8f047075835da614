/** Gossip between engines without consensus: whatever one has, all get, on any connected topology. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CHANNELS, PROTOCOLS } from '../../p2p/channels.ts';
import type { Vote } from '../../consensus/types/vote.ts';
import { equalBytes } from '../../core/bytes.ts';
import type { Network } from '../../p2p/network.ts';
import { libp2pWorld, memoryWorld, type World } from '../../p2p/testing.ts';
import { systemTimers, type Timers } from '../../p2p/timers.ts';
import { DEFAULT_GOSSIP, Gossip } from './gossip.ts';
import type { ConsensusMessage } from './ports.ts';
import { testBlock, TestEngine, testProposal, testVote, VALIDATORS } from './testing.ts';

interface TestNode {
  readonly network: Network;
  readonly engine: TestEngine;
  readonly gossip: Gossip;
}

interface Worlds {
  readonly world: World;
  readonly timers: Timers;
}

async function makeNode({ world, timers }: Worlds, height: bigint): Promise<TestNode> {
  const network = await world.create({ channels: CHANNELS, protocols: PROTOCOLS });
  const engine = new TestEngine(height);
  const gossip = new Gossip({ network, engine, store: engine, timers }, DEFAULT_GOSSIP);
  await network.start();
  gossip.start();
  return { network, engine, gossip };
}

function join(a: TestNode, b: TestNode): void {
  a.network.addPersistentPeer(b.network.listenAddresses()[0] ?? '');
}

/** Everything that is said in a round. */
function messagesOf(height: bigint, round: number): readonly ConsensusMessage[] {
  const { parts } = testBlock(height, round);
  return [
    { kind: 'proposal', proposal: testProposal(height, round) },
    ...parts.map((part) => ({ kind: 'blockPart', height, round, part }) as const),
    ...(['prevote', 'precommit'] as const).flatMap((type) =>
      Array.from(
        { length: VALIDATORS },
        (_, index) => ({ kind: 'vote', vote: testVote(height, round, type, index) }) as const,
      ),
    ),
  ];
}

const kinds: readonly (readonly [string, () => Worlds])[] = [
  [
    'memory',
    () => {
      const world = memoryWorld();
      return { world, timers: world.timers };
    },
  ],
  ['libp2p', () => ({ world: libp2pWorld(), timers: systemTimers })],
];

describe.each(kinds)('over %s', (_name, makeWorld) => {
  let worlds: Worlds;
  let nodes: TestNode[];

  beforeEach(() => {
    worlds = makeWorld();
    nodes = [];
  });

  afterEach(async () => {
    for (const node of nodes) node.gossip.stop();
    await worlds.world.close();
  });

  async function makeNodes(heights: readonly bigint[]): Promise<TestNode[]> {
    for (const height of heights) nodes.push(await makeNode(worlds, height));
    return nodes;
  }

  async function connected(count: (node: number) => number): Promise<void> {
    await worlds.world.until('all are joined', () =>
      nodes.every((node, index) => node.network.peers().length === count(index)),
    );
  }

  test('along a line, what either end says reaches the other', async () => {
    const [a, b, c, d] = await makeNodes([5n, 5n, 5n, 5n]);
    if (a === undefined || b === undefined || c === undefined || d === undefined)
      throw new Error('four nodes');
    join(a, b);
    join(b, c);
    join(c, d);
    await connected((index) => (index === 0 || index === 3 ? 1 : 2));
    for (const message of messagesOf(5n, 0)) {
      const source = message.kind === 'vote' && message.vote.validatorIndex === 3 ? d : a;
      source.engine.take(message);
      source.gossip.publish(message);
    }
    await worlds.world.until('all have all', () => nodes.every((node) => node.engine.isComplete(0)));
  });

  test('a node that joins late gets all of the round', async () => {
    const [a, b] = await makeNodes([5n, 5n]);
    if (a === undefined || b === undefined) throw new Error('two nodes');
    for (const message of messagesOf(5n, 0)) a.engine.take(message);
    join(a, b);
    await worlds.world.until('the other has all', () => b.engine.isComplete(0));
    expect(b.gossip.metrics.duplicateVotes).toBe(0);
  });

  test('a node that holds another vote of an equivocator gets the one that makes the majority', async () => {
    const [a, b] = await makeNodes([5n, 5n]);
    if (a === undefined || b === undefined) throw new Error('two nodes');
    const told = testVote(5n, 0, 'prevote', 3);
    const other = { ...told, blockId: testBlock(5n, 1).blockId, signature: new Uint8Array(64).fill(99) };
    const heard = (node: TestNode, { type, signature }: Vote): boolean =>
      node.engine.received.some(
        (message) =>
          message.kind === 'vote' &&
          message.vote.type === type &&
          equalBytes(message.vote.signature, signature),
      );
    join(a, b);
    await connected(() => 1);
    a.engine.drops = (): boolean => true;
    b.engine.take({ kind: 'vote', vote: other });
    await worlds.world.until('the one knows what the other has', () => heard(a, other));
    for (const message of messagesOf(5n, 0)) a.engine.take(message);
    await worlds.world.until('the other has heard both', () => heard(b, told));
  });

  test('a node three heights behind gets commits and blocks, one height after the other', async () => {
    const [ahead, behind] = await makeNodes([8n, 5n]);
    if (ahead === undefined || behind === undefined) throw new Error('two nodes');
    behind.engine.newest = 8n;
    for (const message of messagesOf(8n, 0)) ahead.engine.take(message);
    join(behind, ahead);
    await worlds.world.until(
      'it caught up',
      () => behind.engine.height === 8n && behind.engine.isComplete(0),
    );
  });

  test('votes of a later round reach a node that is rounds behind', async () => {
    const [a, b] = await makeNodes([5n, 5n]);
    if (a === undefined || b === undefined) throw new Error('two nodes');
    join(a, b);
    await connected(() => 1);
    a.engine.enterRound(9);
    for (let index = 0; index < 2; index++)
      a.engine.take({ kind: 'vote', vote: testVote(5n, 9, 'prevote', index) });
    await worlds.world.until('they arrived', () => b.engine.holdsVote(9, 'prevote', 1));
  });
});

test('in a full mesh few things travel twice', async () => {
  const world = memoryWorld();
  const nodes: TestNode[] = [];
  for (let i = 0; i < 4; i++) nodes.push(await makeNode({ world, timers: world.timers }, 5n));
  nodes.forEach((node, index) => {
    for (const other of nodes.slice(index + 1)) join(node, other);
  });
  const heard = (): boolean =>
    nodes.every((node) => node.network.metrics.messagesReceived['state'] !== undefined);
  await world.until('all know each other', heard);
  await world.timers.advance(100);
  for (const message of messagesOf(5n, 0)) {
    const source = message.kind === 'vote' ? nodes[message.vote.validatorIndex] : nodes[0];
    source?.engine.take(message);
    source?.gossip.publish(message);
  }
  await world.until('all have all', () => nodes.every((node) => node.engine.isComplete(0)));
  const sent = nodes.reduce((sum, node) => sum + node.gossip.metrics.partsSent, 0);
  const needed = 3 * testBlock(5n, 0).parts.length;
  expect(sent).toBeLessThanOrEqual(needed * 2);
  for (const node of nodes) node.gossip.stop();
  await world.close();
});

describe('whatever the topology', () => {
  test('everything reaches everybody, though engines drop inputs', async () => {
    const scenario = fc.record({
      count: fc.integer({ min: 2, max: 6 }),
      /** Node i+1 joins an earlier node: a random tree; extra edges on top. */
      parents: fc.array(fc.nat(), { minLength: 6, maxLength: 6 }),
      extra: fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 4 }),
      sources: fc.array(fc.nat(), { minLength: 14, maxLength: 14 }),
      dropped: fc.array(fc.boolean(), { minLength: 30, maxLength: 30 }),
      behind: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 6, maxLength: 6 }),
    });
    await fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        const world = memoryWorld();
        const nodes: TestNode[] = [];
        for (let i = 0; i < given.count; i++) {
          const lag = i === 0 ? 0n : BigInt(given.behind[i] ?? 0);
          const node = await makeNode({ world, timers: world.timers }, 5n - lag);
          node.engine.newest = 5n;
          let asked = 0;
          node.engine.drops = () => given.dropped[asked++ + i] === true;
          nodes.push(node);
        }
        const edges = given.parents
          .slice(0, given.count - 1)
          .map((parent, i) => [i + 1, parent % (i + 1)] as const);
        for (const [from, to] of [...edges, ...given.extra]) {
          const a = nodes[from % given.count];
          const b = nodes[to % given.count];
          if (a !== undefined && b !== undefined) join(a, b);
        }
        const up = nodes.filter((node) => node.engine.height === 5n);
        messagesOf(5n, 0).forEach((message, i) => {
          const source = up[(given.sources[i] ?? 0) % up.length];
          // Who has a part has the proposal too.
          source?.engine.take({ kind: 'proposal', proposal: testProposal(5n, 0) });
          source?.engine.take(message);
        });
        await world.until('all have all', () =>
          nodes.every((node) => node.engine.height === 5n && node.engine.isComplete(0)),
        );
        for (const node of nodes) {
          node.gossip.stop();
          expect(node.network.metrics.penalties).toBe(0);
        }
        await world.close();
      }),
      { numRuns: 40 },
    );
  });
});
