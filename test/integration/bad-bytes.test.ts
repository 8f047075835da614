/**
 * Bytes that are nothing, sent to a whole running node on every channel and as a request of every protocol:
 * nothing is thrown past its owner, nobody but the sender is blamed, and the node goes on. A channel or a
 * protocol that is new is in the table by itself. What breaks the frames is in `p2p/hostile.test.ts`.
 */
import { expect, test } from 'vitest';
import { concatBytes } from '../../core/bytes.ts';
import { uvarintLength, writeUvarint } from '../../core/varint.ts';
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
import { strangerId, testOptions } from '../../p2p/testing.ts';
import { CHAIN_ID, validatorSeed } from '../simulation/chain.ts';
import { quickScheme } from '../simulation/keys.ts';
import { Simulation } from '../simulation/simulation.ts';

const NODE = strangerId(1);
const ANSWER_MS = 2_000;
const NESTING = 300;
const DEALT_WITH_MS = 100;
const ANSWER_BYTES_MAX = 1_000;
/** Blocks that a liar claims to have. */
const AHEAD = 100n;
const TAKEN: readonly string[] = [
  'txs: a deeply nested message',
  'snapshots: a deeply nested message',
  'validator-proof: a deeply nested message',
];

/** A message in a message, and so on; as deep as there is room for. */
function nested(bytesMax: number): Uint8Array {
  let bytes: Uint8Array = new Uint8Array(0);
  for (let i = 0; i < NESTING; i++) {
    const head = new Uint8Array(1 + uvarintLength(bytes.length));
    head[0] = 0x0a;
    writeUvarint(head, 1, bytes.length);
    if (head.length + bytes.length > bytesMax) break;
    bytes = concatBytes(head, bytes);
  }
  return bytes;
}

const BAD: readonly (readonly [what: string, make: (bytesMax: number) => Uint8Array])[] = [
  ['a zero', () => Uint8Array.of(0)],
  ['undecodable bytes', () => Uint8Array.of(0xff, 0xff, 0xff)],
  ['a message that is cut short', () => Uint8Array.of(0x0a, 0x09, 0x08, 0x01)],
  ['a length beyond all bounds', () => Uint8Array.of(0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f)],
  ['a deeply nested message', nested],
  ['as much of one byte as may be', (bytesMax) => new Uint8Array(bytesMax).fill(0x0a)],
];

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
  /** Not answered as if it were nothing bad. */
  readonly isRefused: boolean;
}

async function sendAll(besieged: Besieged): Promise<readonly Outcome[]> {
  const { scheduler } = besieged.simulation;
  const outcomes: Outcome[] = [];
  for (const { name, messageBytesMax } of CHANNELS) {
    for (const [what, make] of BAD) {
      const stranger = await besieged.stranger();
      expect(stranger.send(NODE, name, make(messageBytesMax))).toBe(true);
      const untilMs = scheduler.nowMs + DEALT_WITH_MS;
      const isBanned = (): boolean => besieged.isBanned(stranger);
      await besieged.until('it is dealt with', () => isBanned() || scheduler.nowMs > untilMs);
      outcomes.push({ where: name, what, isRefused: isBanned() });
      await stranger.stop();
    }
  }
  return outcomes;
}

async function requestAll(besieged: Besieged): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const { name, requestBytesMax } of PROTOCOLS) {
    for (const [what, make] of BAD) {
      const stranger = await besieged.stranger();
      let isRefused: boolean | undefined;
      const asked = stranger.request(NODE, name, make(requestBytesMax), { timeoutMs: ANSWER_MS });
      void asked.then(
        () => void (isRefused = false),
        () => void (isRefused = true),
      );
      await besieged.until('it is answered or refused', () => isRefused !== undefined);
      outcomes.push({ where: name, what, isRefused: isRefused === true });
      await stranger.stop();
    }
  }
  return outcomes;
}

test('bad bytes on every channel and of every protocol are refused, and the node goes on', async () => {
  const besieged = new Besieged();
  await besieged.start();
  const outcomes = [...(await sendAll(besieged)), ...(await requestAll(besieged))];
  expect(outcomes).toHaveLength((CHANNELS.length + PROTOCOLS.length) * BAD.length);
  const taken = outcomes.filter(({ isRefused }) => !isRefused).map(({ where, what }) => `${where}: ${what}`);
  // Fields that are not known are passed over, as protobuf wants it; a transaction may be anything.
  expect(taken).toEqual(TAKEN);
  expect(besieged.node.metrics.handlerErrors).toEqual({});
  const { height } = besieged.simulation;
  await besieged.until('the node goes on', () => besieged.simulation.height >= height + 2n);
});

/** How the answer of each protocol is asked for by a whole node; the last three: `node/statesync` has them. */
const ASKED_BY_NODE = [BLOCKS_PROTOCOL.name, ADDRESSES_PROTOCOL.name, VALIDATOR_PROOF_PROTOCOL.name];
const ASKED_BY_STATE_SYNC = [
  SNAPSHOTS_PROTOCOL.name,
  SNAPSHOT_CHUNK_PROTOCOL.name,
  LIGHT_BLOCK_PROTOCOL.name,
];

test('a bad answer of every protocol costs who gives it, and the node goes on', async () => {
  expect([...ASKED_BY_NODE, ...ASKED_BY_STATE_SYNC].toSorted()).toEqual(
    PROTOCOLS.map(({ name }) => name).toSorted(),
  );
  const besieged = new Besieged();
  await besieged.start();
  const specs = PROTOCOLS.filter(({ name }) => ASKED_BY_NODE.includes(name));
  for (const { name, responseBytesMax } of specs) {
    for (const [what, make] of BAD) {
      // A field that is not known, and no proof: whoever holds no key says that.
      if (name === VALIDATOR_PROOF_PROTOCOL.name && make === nested) continue;
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
  const { height } = besieged.simulation;
  await besieged.until('the node goes on', () => besieged.simulation.height >= height + 2n);
});
