/** What operators write in `config.toml` reaches what their nodes do: the whole node, on virtual time. */
import { expect, test } from 'vitest';
import type { Application } from '../../node/application.ts';
import type { NodeConfig } from '../../node/config/config.ts';
import type { P2pConfig } from '../../node/config/p2p.ts';
import { ADDRESSES_PROTOCOL } from '../../p2p/channels.ts';
import { decodeAddressesResponse, encodeAddressesRequest } from '../../p2p/exchange.ts';
import type { Network } from '../../p2p/network.ts';
import { strangerId } from '../../p2p/testing.ts';
import { validatorSeed } from '../simulation/chain.ts';
import { quickScheme } from '../simulation/keys.ts';
import { Simulation } from '../simulation/simulation.ts';

const IDS = [0, 1, 2, 3].map((i) => strangerId(7_000 + i));
const [FIRST = '', SECOND = '', THIRD = '', FOURTH = ''] = IDS;
const ANSWER_MAX = 100;

const addressOf = (id: string): string => `/ip4/20.${IDS.indexOf(id)}.0.1/tcp/26656/p2p/${id}`;

type Change = (config: NodeConfig) => NodeConfig;
const consensus =
  (change: Partial<NodeConfig['consensus']>): Change =>
  (config) => ({ ...config, consensus: { ...config.consensus, ...change } });
const p2p =
  (change: Partial<P2pConfig>): Change =>
  (config) => ({ ...config, p2p: { ...config.p2p, ...change } });

/** Its blocks change nothing that the next one has to prove: the witness of simulated chains alone would. */
function steady(application: Application): Application {
  return {
    ...application,
    finalizeBlock: async (request, control) => ({
      ...(await application.finalizeBlock(request, control)),
      appHash: new Uint8Array(32),
    }),
  };
}

/** Four validators, of which the first ones start; the first has that in its configuration, or all have. */
async function started(change: {
  readonly ofAll?: Change;
  readonly ofFirst?: Change;
  readonly count?: number;
  readonly isSteady?: boolean;
}): Promise<Simulation> {
  const { ofAll = (same) => same, ofFirst = (same) => same, count = IDS.length, isSteady = false } = change;
  const simulation = new Simulation({
    seed: 1,
    verbose: false,
    scheme: quickScheme,
    powers: IDS.map(() => 10n),
    machines: IDS.map((name, i) => ({
      name,
      keySeed: validatorSeed(i),
      isHonest: true,
      ...(isSteady && { application: steady }),
      config: i === 0 ? ofFirst : (same: NodeConfig) => same,
    })),
    accounts: 3,
    config: ofAll,
    wiring: { addressOf },
  });
  await simulation.init();
  for (const machine of simulation.machines.slice(0, count))
    simulation.scheduler.after(1, () => machine.start());
  return simulation;
}

async function lasting(simulation: Simulation, ms: number): Promise<void> {
  await simulation.runUntil(() => false, simulation.scheduler.nowMs + ms);
  expect(simulation.violations).toEqual([]);
}

function networkOf({ machines }: Simulation, id: string): Network {
  const network = machines.find(({ name }) => name === id)?.core?.network;
  if (network === undefined) throw new RangeError(`${id} is not up`);
  return network;
}

test('skip_timeout_commit: with all precommits the next height begins at once', async () => {
  const heights: bigint[] = [];
  for (const skipTimeoutCommit of [false, true]) {
    const ofAll = consensus({ skipTimeoutCommit, createEmptyBlocks: true, timeoutCommitMs: 1_000 });
    const simulation = await started({ ofAll });
    await lasting(simulation, 1_000);
    heights.push(simulation.height);
  }
  const [waiting = 0n, skipping = 0n] = heights;
  expect(waiting).toBeGreaterThan(0n);
  expect(skipping).toBeGreaterThan(3n * waiting);
});

test('create_empty_blocks: without them the chain waits for a transaction', async () => {
  for (const createEmptyBlocks of [true, false]) {
    const ofAll = consensus({ createEmptyBlocks, createEmptyBlocksIntervalMs: 0, skipTimeoutCommit: false });
    const simulation = await started({ ofAll, isSteady: true });
    await lasting(simulation, 1_000);
    const before = simulation.height;
    await lasting(simulation, 1_000);
    expect(simulation.height > before).toBe(createEmptyBlocks);
    if (createEmptyBlocks) continue;
    simulation.sendTransfer();
    await lasting(simulation, 1_000);
    expect(simulation.height).toBeGreaterThan(before);
  }
});

test('external_address: peers are told of it', async () => {
  const simulation = await started({ ofFirst: p2p({ externalAddress: 'tcp://203.0.113.7:1234' }) });
  await lasting(simulation, 1_000);
  const told = networkOf(simulation, SECOND).peers();
  const listens = (id: string): string | undefined => told.find((peer) => peer.id === id)?.listenAddress;
  expect(listens(FIRST)).toMatch(/^\/ip4\/203\.0\.113\.7\/tcp\/1234\/p2p\/12D3Koo/);
  expect(listens(THIRD)).toBe(addressOf(THIRD));
});

test('persistent_peers_max_dial_period: a peer that is away is dialled so often', async () => {
  const dials: number[] = [];
  for (const persistentPeersMaxDialPeriodMs of [0, 500]) {
    const simulation = await started({ ofFirst: p2p({ persistentPeersMaxDialPeriodMs }), count: 1 });
    await lasting(simulation, 60_000);
    dials.push(networkOf(simulation, FIRST).metrics.dials);
  }
  const [usual = 0, often = 0] = dials;
  // To each of three: every half second at least, and not twice as often.
  expect(often).toBeGreaterThanOrEqual((3 * 60_000) / 500);
  expect(often).toBeLessThan((3 * 60_000) / 250 + 100);
  expect(usual).toBeLessThan(often / 4);
});

test('private_peer_ids: who asks is not told of them', async () => {
  const ofFirst = p2p({ pex: true, privatePeerIds: [THIRD] });
  const simulation = await started({ ofFirst });
  await lasting(simulation, 1_000);
  const request = encodeAddressesRequest(ANSWER_MAX);
  let response: Uint8Array | undefined;
  const asked = networkOf(simulation, SECOND)
    .request(FIRST, ADDRESSES_PROTOCOL.name, request, { timeoutMs: 5_000 })
    .then((bytes) => {
      response = bytes;
    });
  await simulation.runUntil(() => response !== undefined, 10_000);
  await asked;
  const told = decodeAddressesResponse(response ?? new Uint8Array(0), ANSWER_MAX);
  expect(told.map(({ peerId }) => peerId)).toEqual([FOURTH]);
});
