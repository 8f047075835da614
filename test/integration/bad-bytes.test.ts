/**
 * Bytes that are nothing, sent to a whole running node on every channel, as a request of every protocol and
 * as answer to whatever it asks for: nothing is thrown past its owner, the sender is banned, and the node
 * goes on. A channel that is new, and requests of a protocol that is, are in the table by themselves; who
 * asks for its answers has to be said. What breaks the frames is in `p2p/hostile.test.ts`.
 */
import { expect, test } from 'vitest';
import { LedgerError } from '../../core/errors.ts';
import { encodeRange } from '../../node/blocksync/messages.ts';
import {
  ADDRESSES_PROTOCOL,
  BLOCKS_PROTOCOL,
  CHANNELS,
  LIGHT_BLOCK_PROTOCOL,
  PROTOCOLS,
  SNAPSHOT_CHUNK_PROTOCOL,
  SNAPSHOTS_PROTOCOL,
  SYNC_CHANNEL,
  VALIDATOR_PROOF_PROTOCOL,
} from '../../p2p/channels.ts';
import type { Network } from '../../p2p/network.ts';
import { BAD_BYTES, strangerId, testOptions } from '../../p2p/testing.ts';
import { CHAIN_ID, validatorSeed } from '../simulation/chain.ts';
import { quickScheme } from '../simulation/keys.ts';
import { Simulation } from '../simulation/simulation.ts';

const NODE = strangerId(1);
const ANSWER_MS = 2_000;
const DEALT_WITH_MS = 100;
const ANSWER_BYTES_MAX = 1_000;
/** Blocks that a liar claims to have. */
const AHEAD = 100n;
/** What is no bad message there, and is answered or passed on. */
const TAKEN: readonly string[] = [
  // A transaction may be anything: the application refuses it, and that costs its sender nothing.
  'txs: a deeply nested message: taken',
  // The request has no fields of its own; fields that are not known are passed over, as protobuf wants it.
  'snapshots: a deeply nested message: taken',
  // Cut to the 34 bytes that there may be it is a tag, a length and 32 bytes: a request with that nonce.
  'validator-proof: a deeply nested message: taken',
];
/**
 * What a request that is refused as malformed ends with: its sender is banned, and the connection may be gone
 * before it hears why. Time that has run out is none of these.
 */
const REFUSALS: readonly string[] = ['p2p.malformed', 'p2p.disconnected'];

const addressOf = (id: string): string => `/ip4/20.0.0.1/tcp/26656/p2p/${id}`;

/** One validator, and strangers one after the other. */
class Besieged {
  readonly simulation: Simulation = new Simulation({
    seed: 1,
    verbose: false,
    scheme: quickScheme,
    powers: [10n],
    machines: [{ name: NODE, keySeed: validatorSeed(0), isHonest: true }],
    accounts: 3,
    config: (config) => ({
      ...config,
      p2p: { ...config.p2p, pex: true },
      // What is waited for are strangers, not blocks.
      consensus: { ...config.consensus, timeoutCommitMs: 2_000 },
    }),
    wiring: { addressOf },
  });
  #strangers = 0;

  get node(): Network {
    const network = this.simulation.machines[0]?.core?.network;
    if (network === undefined) throw new RangeError('the node is not up');
    return network;
  }

  async start(): Promise<void> {
    await this.simulation.init();
    this.simulation.scheduler.after(1, () => this.simulation.machines[0]?.start());
    await this.until('blocks are made', () => this.simulation.height >= 2n);
  }

  async until(what: string, isSo: () => boolean): Promise<void> {
    const { simulation } = this;
    const isIt = await simulation.runUntil(isSo, simulation.scheduler.nowMs + 20_000);
    expect(simulation.violations, what).toEqual([]);
    expect(isIt, what).toBe(true);
  }

  /** A peer that is connected. */
  async stranger(prepare: (network: Network) => void = () => undefined): Promise<Network> {
    const { hub } = this.simulation.wires;
    const options = testOptions({ chainId: CHAIN_ID, channels: CHANNELS, protocols: PROTOCOLS });
    const network = hub.createNetwork(strangerId(100 + this.#strangers++), options);
    prepare(network);
    await network.start();
    network.addPersistentPeer(hub.addressOf(NODE));
    await this.until('a stranger is a peer', () => network.peers().length === 1);
    return network;
  }

  isBanned({ nodeId }: Network): boolean {
    return this.node.standing(nodeId).bannedForMs > 0;
  }
}

interface Outcome {
  readonly where: string;
  readonly what: string;
  /** `banned`, `taken`, or how else a request failed. */
  readonly end: string;
}

async function sendAll(besieged: Besieged): Promise<readonly Outcome[]> {
  const { scheduler } = besieged.simulation;
  const outcomes: Outcome[] = [];
  for (const { name, messageBytesMax } of CHANNELS) {
    for (const [what, make] of BAD_BYTES) {
      const stranger = await besieged.stranger();
      expect(stranger.send(NODE, name, make(messageBytesMax))).toBe(true);
      const untilMs = scheduler.nowMs + DEALT_WITH_MS;
      const isBanned = (): boolean => besieged.isBanned(stranger);
      await besieged.until('it is dealt with', () => isBanned() || scheduler.nowMs > untilMs);
      outcomes.push({ where: name, what, end: isBanned() ? 'banned' : 'taken' });
      await stranger.stop();
    }
  }
  return outcomes;
}

async function requestAll(besieged: Besieged): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const { name, requestBytesMax } of PROTOCOLS) {
    for (const [what, make] of BAD_BYTES) {
      const stranger = await besieged.stranger();
      let code: string | undefined;
      const asked = stranger.request(NODE, name, make(requestBytesMax), { timeoutMs: ANSWER_MS });
      void asked.then(
        () => void (code = 'taken'),
        (error: unknown) => void (code = error instanceof LedgerError ? error.code : String(error)),
      );
      await besieged.until('it is answered or refused', () => code !== undefined);
      const isBanned = REFUSALS.includes(code ?? '') && besieged.isBanned(stranger);
      outcomes.push({ where: name, what, end: isBanned ? 'banned' : (code ?? '') });
      await stranger.stop();
    }
  }
  return outcomes;
}

test('bad bytes on every channel and as request of every protocol ban their sender, and the node goes on', async () => {
  const besieged = new Besieged();
  await besieged.start();
  const outcomes = [...(await sendAll(besieged)), ...(await requestAll(besieged))];
  expect(outcomes).toHaveLength((CHANNELS.length + PROTOCOLS.length) * BAD_BYTES.length);
  const others = outcomes.filter(({ end }) => end !== 'banned');
  expect(others.map(({ where, what, end }) => `${where}: ${what}: ${end}`)).toEqual(TAKEN);
  expect(besieged.node.metrics.handlerErrors).toEqual({});
  const { height } = besieged.simulation;
  await besieged.until('the node goes on', () => besieged.simulation.height >= height + 2n);
});

/** What a running node asks its peers for. */
const ASKED_BY_NODE = [BLOCKS_PROTOCOL.name, ADDRESSES_PROTOCOL.name, VALIDATOR_PROOF_PROTOCOL.name];
/**
 * What is asked for before there is a whole node: the same bytes as answers are in
 * `node/statesync/syncer.test.ts`, those for light blocks in `backfill.test.ts`.
 */
const ASKED_BY_STATE_SYNC = [
  SNAPSHOTS_PROTOCOL.name,
  SNAPSHOT_CHUNK_PROTOCOL.name,
  LIGHT_BLOCK_PROTOCOL.name,
];

test('bad bytes as answer to whatever the running node asks for ban who gives them, and the node goes on', async () => {
  expect([...ASKED_BY_NODE, ...ASKED_BY_STATE_SYNC].toSorted()).toEqual(
    PROTOCOLS.map(({ name }) => name).toSorted(),
  );
  const besieged = new Besieged();
  await besieged.start();
  const specs = PROTOCOLS.filter(({ name }) => ASKED_BY_NODE.includes(name));
  for (const { name, responseBytesMax } of specs) {
    for (const [what, make] of BAD_BYTES) {
      let asked = 0;
      const stranger = await besieged.stranger((network) =>
        network.serve(name, () => {
          asked++;
          return make(Math.min(ANSWER_BYTES_MAX, responseBytesMax));
        }),
      );
      if (name === BLOCKS_PROTOCOL.name) {
        const height = besieged.simulation.height + AHEAD;
        stranger.send(NODE, SYNC_CHANNEL.name, encodeRange({ base: 1n, height }));
      }
      await besieged.until(
        `${name}: ${what}: it is asked, and banned`,
        () => asked > 0 && besieged.isBanned(stranger),
      );
      await stranger.stop();
    }
  }
  expect(besieged.node.metrics.handlerErrors).toEqual({});
  const { height } = besieged.simulation;
  await besieged.until('the node goes on', () => besieged.simulation.height >= height + 2n);
});
