/**
 * Nodes that know one seed, each with few places for peers, find each other and make blocks among liars about
 * who is where. Waits and the book are a tenth of those of a node, so that the limits are reached.
 */
import type { SeededRandom } from '../../../consensus/simulation/random.ts';
import { type AddressBookLimits, DEFAULT_ADDRESS_BOOK } from '../../../p2p/address-book.ts';
import { DEFAULT_DISCOVERY, type DiscoveryLimits } from '../../../p2p/discovery.ts';
import { validatorSeed } from '../chain.ts';
import type { Fault } from '../faults.ts';
import type { MachineOptions } from '../machine.ts';
import type { Scenario } from '../profiles.ts';
import { ADDRESS_LIES, type AddressLie } from './liars.ts';
import { DiscoveryWatch } from './watch.ts';
import { World } from './world.ts';

/** Bounds of the books. */
export const BOOK_LIMITS: AddressBookLimits = {
  ...DEFAULT_ADDRESS_BOOK,
  newMax: 200,
  triedMax: 100,
  newPerSourceMax: 40,
  newPerSourceGroupMax: 60,
  perGroupMax: 20,
  backoffMinMs: 500,
  backoffMaxMs: 60_000,
};
const WAITS: DiscoveryLimits = {
  ...DEFAULT_DISCOVERY,
  tickMs: 1_000,
  tickHungryMs: 200,
  askIntervalMs: 3_000,
  answerIntervalMs: 2_000,
  requestTimeoutMs: 1_000,
  seedIntervalMs: 3_000,
  seedIntervalMaxMs: 60_000,
  seedHoldMs: 3_000,
  saveIntervalMs: 5_000,
  crawlIntervalMs: 20_000,
  shortLivedMs: 2_000,
  rotateIntervalMs: 8_000,
  bookEnough: 150,
};
const OUTBOUND_MAX = 4;
const PROBATION_PLACES = 4;
const LIARS_MAX = 6;
const BLOCK_PAUSE_MS = 600;
const FAULTS: readonly Fault[] = [
  'storm',
  'one way',
  'partition',
  'disconnect',
  'kill',
  'power cut',
  'pause',
];

/** The scenario of a seed, from that of honest validators. */
export function discovery(base: Scenario, random: SeededRandom): Scenario {
  const world = new World(random);
  const group = random.percent(30) ? world.newGroup() : undefined;
  const settle = (name: string): string => world.settle(name, random.percent(70) ? group : undefined);
  const seed = world.settle('seed');
  const change = changes(world.addressOf(seed), seed, random.percent(50));
  const node = (name: string, keySeed: Uint8Array): MachineOptions => ({
    ...change(settle(name)),
    keySeed,
    isHonest: true,
  });
  const validators = base.options.machines.map(({ name, keySeed }) => node(name, keySeed));
  const late = [node('f0', validatorSeed(20)), node('f1', validatorSeed(21))].slice(0, 1 + random.below(2));
  const seedNode = { ...change(seed), keySeed: validatorSeed(40), isHonest: true };
  const liars = liarsOf(world, random);
  // Liars alone do not fill the places of a node: those who are left find some.
  const inboundMax = liars.length + validators.length + 1;
  const machines = [...validators, ...late, seedNode];
  return {
    ...base,
    options: {
      ...base.options,
      machines,
      wiring: {
        peersOf: () => [],
        addressOf: (id) => world.addressOf(id),
        isNobody: (id) => world.find(id) === undefined,
      },
      shown: world.shown,
      config: (config) => ({
        ...config,
        p2p: {
          ...config.p2p,
          pex: true,
          addrBookStrict: true,
          persistentPeers: [],
          maxNumInboundPeers: inboundMax,
          maxNumOutboundPeers: OUTBOUND_MAX,
        },
        consensus: { ...config.consensus, timeoutCommitMs: BLOCK_PAUSE_MS },
      }),
    },
    faults: FAULTS.filter(() => random.percent(40)),
    late: late.map(({ name }) => name),
    bystanders: [seed],
    companions: [
      (simulation) =>
        new DiscoveryWatch(simulation, {
          world,
          liars,
          seeds: [seed],
          book: BOOK_LIMITS,
          outboundMax: OUTBOUND_MAX,
          inboundMax: inboundMax + PROBATION_PLACES,
        }),
    ],
    healAtMs: 4_000 + random.below(6_000),
    heights: 4n,
    transferEveryMs: 1_000,
  };
}

/** What makes a machine one that knows the seed only, or the seed. */
function changes(
  address: string,
  seed: string,
  sendsAway: boolean,
): (name: string) => Omit<MachineOptions, 'keySeed' | 'isHonest'> {
  return (name) => ({
    name,
    config: (config) => ({
      ...config,
      p2p: { ...config.p2p, ...(name === seed ? { seedMode: sendsAway } : { seeds: [address] }) },
    }),
    environment: (environment) => ({
      ...environment,
      discovery: WAITS,
      addressBook: BOOK_LIMITS,
      peerFiles: environment.signerFiles,
    }),
  });
}

function liarsOf(
  world: World,
  random: SeededRandom,
): readonly { readonly id: string; readonly lie: AddressLie; readonly dials: boolean }[] {
  const count = 1 + random.below(LIARS_MAX);
  const common = random.percent(30) ? random.pick(ADDRESS_LIES) : undefined;
  const group = random.percent(30) ? world.newGroup() : undefined;
  return Array.from({ length: count }, (_, i) => ({
    id: world.settle(`l${i}`, group),
    lie: common ?? random.pick(ADDRESS_LIES) ?? 'invents',
    dials: random.percent(80),
  }));
}
