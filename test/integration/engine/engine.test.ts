import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { NIL_BLOCK_ID } from '../../../consensus/types/block-id.ts';
import { voteSignBytes } from '../../../consensus/types/sign-bytes.ts';
import { consensusParamsHash } from '../../../consensus/types/params.ts';
import { timeFromNanos, timeToNanos } from '../../../consensus/types/time.ts';
import { evidenceHash } from '../../../consensus/types/evidence.ts';
import type { Vote } from '../../../consensus/types/vote.ts';
import { EMPTY_BYTES, toHex, utf8 } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import { ed25519Signer } from '../../../node/crypto/ed25519.ts';
import type { ConsensusPublisher } from '../../../node/engine/ports.ts';
import {
  Broadcast,
  CHAIN_ID,
  keepTogether,
  openTestNode,
  seedOf,
  type TestHome,
  type TestNode,
  testGenesis,
} from './test-node.ts';

const home = (index: number): TestHome => ({
  directory: mkdtempSync(join(tmpdir(), 'engine-')),
  index,
  application: { height: 0n, hash: EMPTY_BYTES },
});

function joinNetwork(network: Broadcast, index: number, node: TestNode): void {
  network.join(index, node.engine);
  node.engine.start();
  node.engine.joinConsensus();
}

test('a single validator makes blocks, stops, and continues where it stopped', async () => {
  const genesis = testGenesis(1);
  const network = new Broadcast();
  const mine = home(0);
  const txs = [utf8('a transaction')];
  const first = await openTestNode({
    home: mine,
    genesis,
    publisher: network.publisher(0),
    transactions: () => txs,
  });
  joinNetwork(network, 0, first);
  await first.reached(5n);
  await first.stop();
  const stoppedAt = first.engine.lastHeight();
  expect(first.committed[0]?.block.txs).toEqual(txs);
  const second = await openTestNode({ home: mine, genesis, publisher: network.publisher(0) });
  expect(second.engine.lastHeight()).toBe(stoppedAt);
  joinNetwork(network, 0, second);
  await second.reached(stoppedAt + 3n);
  await second.stop();
  expect(second.committed[0]?.height).toBe(stoppedAt + 1n);
  expect(network.misbehaved).toEqual([]);
});

test('four validators agree on every block and every app hash', async () => {
  const genesis = testGenesis(4);
  const network = new Broadcast();
  const nodes: TestNode[] = [];
  for (let index = 0; index < 4; index++) {
    const transactions = (): Uint8Array[] => [utf8(`from ${index}`)];
    nodes.push(
      await openTestNode({ home: home(index), genesis, publisher: network.publisher(index), transactions }),
    );
  }
  for (const [index, node] of nodes.entries()) joinNetwork(network, index, node);
  const apart = keepTogether(nodes);
  await Promise.all(nodes.map((node) => node.reached(12n)));
  apart();
  await Promise.all(nodes.map((node) => node.stop()));
  const ids = (node: TestNode): string[] =>
    node.committed.slice(0, 12).map(({ blockId, results }) => toHex(blockId.hash) + toHex(results.appHash));
  const [first, ...others] = nodes.map(ids);
  for (const other of others) expect(other).toEqual(first);
  expect(network.misbehaved).toEqual([]);
  const proposers = new Set(nodes[0]?.committed.map(({ block }) => toHex(block.header.proposerAddress)));
  expect(proposers.size).toBe(4);
});

test('a proposer whose blocks the application refuses does not stop the others', async () => {
  const genesis = testGenesis(4);
  const network = new Broadcast();
  const nodes: TestNode[] = [];
  for (let index = 0; index < 4; index++) {
    const transactions = (): Uint8Array[] => [index === 0 ? Uint8Array.of(0xff, 1) : utf8(`from ${index}`)];
    const publisher = network.publisher(index);
    nodes.push(await openTestNode({ home: home(index), genesis, publisher, transactions }));
  }
  for (const [index, node] of nodes.entries()) joinNetwork(network, index, node);
  const apart = keepTogether(nodes);
  await Promise.all(nodes.map((node) => node.reached(8n)));
  apart();
  await Promise.all(nodes.map((node) => node.stop()));
  const txs = nodes.flatMap(({ committed }) => committed.flatMap(({ block }) => block.txs));
  expect(txs.length).toBeGreaterThan(8);
  expect(txs.some((tx) => tx[0] === 0xff)).toBe(false);
  const rounds = network.sent.map(({ message }) => (message.kind === 'vote' ? message.vote.round : 0));
  expect(Math.max(...rounds)).toBeGreaterThan(0);
});

test('a validator that votes for two things is reported by the others, each offence in one block, and the chain goes on', async () => {
  const genesis = testGenesis(4);
  const network = new Broadcast();
  const reported = new Set<number>();
  const key = ed25519Signer(seedOf(0));
  const honest = network.publisher(0);
  const twoFaced: ConsensusPublisher = {
    ...honest,
    publish: (message) => {
      honest.publish(message);
      if (message.kind !== 'vote' || message.vote.blockId.hash.length === 0) return;
      const other = { ...message.vote, blockId: NIL_BLOCK_ID };
      honest.publish({
        kind: 'vote',
        vote: { ...other, signature: key.sign(voteSignBytes(CHAIN_ID, other)) },
      });
    },
  };
  const nodes: TestNode[] = [];
  for (let index = 0; index < 4; index++) {
    const publisher = index === 0 ? twoFaced : network.publisher(index);
    const onConflict = (first: Vote): void => {
      if (toHex(first.validatorAddress) === toHex(sha256(key.publicKey).slice(0, 20))) reported.add(index);
    };
    nodes.push(await openTestNode({ home: home(index), genesis, publisher, onConflict }));
  }
  for (const [index, node] of nodes.entries()) joinNetwork(network, index, node);
  const apart = keepTogether(nodes);
  await Promise.all(nodes.map((node) => node.reached(6n)));
  apart();
  await Promise.all(nodes.map((node) => node.stop()));
  expect([...reported].sort((a, b) => a - b)).toEqual([1, 2, 3]);
  for (const { committed, misbehavior } of nodes.slice(1)) {
    const evidence = committed.flatMap(({ block }) => block.evidence);
    expect(evidence.length).toBeGreaterThan(2);
    expect(new Set(evidence.map((each) => toHex(evidenceHash(each)))).size).toBe(evidence.length);
    expect(misbehavior.length).toBe(evidence.length);
    for (const { type, validator } of misbehavior)
      expect([type, toHex(validator.address)]).toEqual([1, toHex(sha256(key.publicKey).slice(0, 20))]);
  }
});

test('parameters that a block changes are in force at the next height, for proposers and for those who judge', async () => {
  const genesis = testGenesis(4);
  const network = new Broadcast();
  const changed = { ...genesis.consensusParams, block: { maxBytes: 2_000_000n, maxGas: -1n } };
  const nodes: TestNode[] = [];
  for (let index = 0; index < 4; index++) {
    const node = await openTestNode({ home: home(index), genesis, publisher: network.publisher(index) });
    node.application.paramUpdates.set(3n, changed);
    nodes.push(node);
  }
  for (const [index, node] of nodes.entries()) joinNetwork(network, index, node);
  const apart = keepTogether(nodes);
  await Promise.all(nodes.map((node) => node.reached(6n)));
  apart();
  await Promise.all(nodes.map((node) => node.stop()));
  for (const { committed } of nodes) {
    const hashes = committed.slice(0, 6).map(({ block }) => toHex(block.header.consensusHash));
    const [before, after] = [genesis.consensusParams, changed].map((each) =>
      toHex(consensusParamsHash(each)),
    );
    expect(hashes).toEqual([before, before, before, after, after, after]);
  }
});

test('a chain does not begin before its genesis time', async () => {
  const genesisTime = timeFromNanos(BigInt(Date.now() + 700) * 1_000_000n);
  const genesis = { ...testGenesis(1), genesisTime };
  const node = await openTestNode({ home: home(0), genesis, publisher: new Broadcast().publisher(0) });
  node.engine.start();
  node.engine.joinConsensus();
  await node.reached(2n);
  expect(BigInt(Date.now()) * 1_000_000n).toBeGreaterThan(timeToNanos(genesisTime));
  expect(node.committed[0]?.block.header.time).toEqual(genesisTime);
  await node.stop();
});
