/** What a seed stands for, by profile: who takes part, what goes wrong, and what must come of it. */
import { SeededRandom } from '../../consensus/simulation/random.ts';
import { absentThird, long, rotating } from './absences.ts';
import { badBlocks } from './bad-blocks.ts';
import { ADVERSARIES, adversary } from './adversaries/voters.ts';
import { SNAPSHOT_LIES, snapshotLiar } from './adversaries/snapshot-liar.ts';
import { LIES, syncLiar } from './adversaries/sync-liar.ts';
import { validatorSeed } from './chain.ts';
import { chainChanges } from './chain-changes.ts';
import type { MakeCompanion } from './companion.ts';
import { discovery } from './discovery/scenario.ts';
import { type Fault, FAULTS, type FaultTimes } from './faults.ts';
import { quickScheme, realScheme } from './keys.ts';
import type { NodeConfig } from '../../node/config/config.ts';
import type { Application } from '../../node/application.ts';
import type { Ending } from './disk/disk.ts';
import type { MachineOptions } from './machine.ts';
import type { FloodOptions } from './flood.ts';
import { pruned } from './pruned.ts';
import { ring } from './ring.ts';
import { rpcFlood } from './rpc/scenario.ts';
import { LIGHT_LIES } from './servers.ts';
import type { SimulationOptions } from './simulation.ts';
import { StakeChanges } from './stake-changes.ts';
import { withValidatorChanges } from './validator-changes.ts';

/** A run, ready to be started. */
export interface Scenario {
  readonly options: Omit<SimulationOptions, 'seed' | 'verbose'>;
  readonly faults: readonly Fault[];
  /** Default: they are over soon. */
  readonly faultsLast?: FaultTimes;
  /** Machines that faults hit, besides the wires; default: all. */
  readonly victims?: readonly string[];
  /** Ends the first machine at exactly this operation of its disk; the heal waits for it. */
  readonly killPoint?: { readonly at: number; readonly how: Ending };
  /** Machines that start later, with an empty disk. */
  readonly late?: readonly string[];
  /** They join one after the other from then on, and faults hit them, too; default: after the heal. */
  readonly lateFromMs?: number | undefined;
  /** Machines that nothing starts, unless a companion does. */
  readonly absent?: readonly string[];
  /** How often each that is late is ended, at some operation of its disk, soon after it was started. */
  readonly lateEndings?: number;
  /** Secrets of validators who forge blocks for light clients; they follow consensus otherwise. */
  readonly forgers?: readonly Uint8Array[];
  /** Clients that flood the nodes; the usual ones are silent then. */
  readonly flood?: FloodOptions;
  /** Who else takes part. */
  readonly companions?: readonly MakeCompanion[];
  /** Honest machines of which no height is demanded. */
  readonly bystanders?: readonly string[];
  /** Milliseconds between two transactions of clients. */
  readonly transferEveryMs: number;
  /** When faults end; undefined: never, and no progress is demanded. */
  readonly healAtMs: number | undefined;
  /** After the heal everybody honest has to reach the height of the heal plus this. */
  readonly heights: bigint;
  /** Without a heal: how long it lasts. */
  readonly lastsMs?: number;
  /** How long progress is waited for; default: as `patience.ts` says of the profile. */
  readonly patienceMs?: number | undefined;
  /** More events are a loop; default: `run.ts` says. */
  readonly eventsMax?: number;
}

/** The profiles. */
export const PROFILES = [
  'safety',
  'liveness',
  'crash',
  'byzantine',
  'validators',
  'sync',
  'ed25519',
  'large',
  'statesync',
  'flood',
  'pruning',
  'bitflip',
  'lightattack',
  'discovery',
  'rpcflood',
  'long',
  'absent',
  'rotating',
  'badblocks',
] as const;

/** One of them. */
export type Profile = (typeof PROFILES)[number];

const SAFETY_MS = 6_000;
/** The state of a simulation has some thousands of bytes. */
const SNAPSHOT_CHUNK_BYTES = 700;
/** With stake it has more. */
const STAKED_CHUNK_BYTES = 2_000;
const POWER = 10n;
/** The shortest that a genesis may have. */
const SLASHING_WINDOW = 10n;
/** Of a validator without a machine: too little to stop the others. */
const ABSENT_POWER = 2n;
/**
 * Operations on a disk, from the first one on, each of which is a kill point of two seeds. A node does 279 to
 * 337 in the first nine heights without faults (seeds 1 to 12), and all kinds are among them: a log this
 * small loses its oldest file in the seventh height.
 */
export const KILL_POINTS = 340;
/** Seeds that follow each other are far apart, and 340 of them go through all: they have no common divisor. */
const KILL_POINT_STRIDE = 211;
const CRASH_LOG_BYTES_MAX = 20_000;
const USUAL_FAULTS: readonly Fault[] = FAULTS.filter((fault) => fault !== 'bit flip');
const CRASHES: readonly Fault[] = [
  'kill',
  'power cut',
  'kill point',
  'slow disk',
  'disk full',
  'lost signing state',
  'stale signing state',
];

/** The scenario of a seed. */
export function scenarioOf(profile: Profile, seed: number): Scenario {
  const random = new SeededRandom(seed * 31 + PROFILES.indexOf(profile));
  switch (profile) {
    case 'safety':
      return { ...base(random, 4), healAtMs: undefined, lastsMs: SAFETY_MS };
    case 'liveness':
      return base(random, 4);
    case 'crash':
      return crash(random, seed);
    case 'byzantine':
      return byzantine(random);
    case 'validators':
      return validators(random, seed);
    case 'sync':
      return sync(random);
    case 'ed25519': {
      const scenario = base(random, 4);
      return { ...scenario, options: { ...scenario.options, scheme: realScheme } };
    }
    case 'large':
      return large();
    case 'statesync':
      return stateSync(random);
    case 'flood':
      return flood(random);
    case 'pruning':
      return pruning(random);
    case 'lightattack':
      return lightAttack(random);
    case 'discovery':
      return discovery(base(random, 4), random);
    case 'rpcflood':
      return rpcFlood(base(random, 4), random);
    case 'long':
      return long(base(random, 4), random, fullNode(0, validatorSeed(20)));
    case 'absent':
      return absentThird(base(random, random.percent(30) ? 7 : 4), random);
    case 'rotating': {
      const full = [20, 21, 22, 23, 24].map((key, i) => fullNode(i, validatorSeed(key)));
      return rotating(base(random, 4), full);
    }
    case 'bitflip':
      return bitFlip(random);
    case 'badblocks':
      return badBlocks(base(random, random.percent(30) ? 7 : 4), { random, seed });
  }
}

/** The first node ends at one operation of its disk, by kill or power cut. */
function crash(random: SeededRandom, seed: number): Scenario {
  const scenario = base(random, 4);
  const { machines } = scenario.options;
  const environment: MachineOptions['environment'] = (usual) => ({
    ...usual,
    walSizes: {
      fileBytesMax: usual.walSizes?.fileBytesMax ?? CRASH_LOG_BYTES_MAX,
      totalBytesMax: CRASH_LOG_BYTES_MAX,
    },
  });
  return {
    ...scenario,
    options: { ...scenario.options, machines: machines.map((machine) => ({ ...machine, environment })) },
    faults: someOf(CRASHES, random),
    killPoint: {
      at: 1 + ((Math.floor(seed / 2) * KILL_POINT_STRIDE) % KILL_POINTS),
      how: seed % 2 === 0 ? 'power cut' : 'process killed',
    },
    healAtMs: 2_000,
  };
}

function base(random: SeededRandom, validatorsMin: number): Scenario {
  const count = validatorsMin + (random.percent(25) ? random.below(3) : 0);
  return {
    options: {
      scheme: quickScheme,
      powers: Array.from({ length: count }, () => POWER + BigInt(random.percent(30) ? random.below(3) : 0)),
      machines: Array.from({ length: count }, (_, i) => honest(i)),
      accounts: 3,
    },
    faults: someOf(USUAL_FAULTS, random),
    transferEveryMs: random.percent(10) ? 10 : 200,
    healAtMs: 1_000 + random.below(3_000),
    heights: 2n,
  };
}

function honest(index: number): MachineOptions {
  return { name: `n${index}`, keySeed: validatorSeed(index), isHonest: true };
}

/** Each of them with an even chance. */
function someOf(faults: readonly Fault[], random: SeededRandom): readonly Fault[] {
  return faults.filter(() => random.percent(40));
}

function byzantine(random: SeededRandom): Scenario {
  const scenario = base(random, random.percent(30) ? 7 : 4);
  const { machines } = scenario.options;
  const guilty = Math.floor((machines.length - 1) / 3);
  const actors = machines.flatMap((machine, i): MachineOptions[] => {
    if (i < machines.length - guilty) return [machine];
    if (random.percent(25)) return twins(machine);
    const kind = random.pick(ADVERSARIES) ?? 'equivocator';
    return [adversary(kind, machine)];
  });
  const honestNames = actors.filter(({ isHonest }) => isHonest).map(({ name }) => name);
  const hitMachines = random.percent(30);
  const menu = hitMachines
    ? scenario.faults
    : someOf(['storm', 'one way', 'partition', 'disconnect'], random);
  // With a fixed set adversaries go on; with stake they are out when they are caught.
  const isStaked = random.percent(60);
  return {
    ...scenario,
    options: { ...scenario.options, powers: machines.map(() => POWER), machines: actors, isStaked },
    faults: menu,
    victims: honestNames,
  };
}

/** With an index, whose entries are records, too; some have a late node that asks for old blocks. */
function bitFlip(random: SeededRandom): Scenario {
  const scenario = base(random, 4);
  const config = (own: NodeConfig): NodeConfig => ({ ...own, txIndex: { indexer: 'kv' } });
  const late = random.percent(50) ? [fullNode(0, validatorSeed(20))] : [];
  return {
    ...scenario,
    options: { ...scenario.options, machines: [...scenario.options.machines, ...late], config },
    late: late.map(({ name }) => name),
    faults: ['bit flip', ...someOf(CRASHES, random)],
  };
}

/** Two nodes with one key: each runs our code, and knows nothing of the other. */
function twins(machine: MachineOptions): MachineOptions[] {
  return ['a', 'b'].map((letter) => ({ ...machine, name: `${machine.name}${letter}`, isHonest: false }));
}

/**
 * Stake moves, newcomers become validators, and who misses many blocks is jailed: for long enough, one that
 * is never there.
 */
function staking(random: SeededRandom, isLong: boolean): Scenario {
  const scenario = base(random, 4);
  const powers = [...scenario.options.powers, ...(isLong ? [ABSENT_POWER] : [])];
  const options = { ...scenario.options, powers };
  const joining = [10, 11].map(validatorSeed);
  return {
    ...scenario,
    options: {
      ...options,
      machines: [...options.machines, ...joining.map((keySeed, i) => fullNode(i, keySeed))],
      isStaked: true,
      slashingWindow: SLASHING_WINDOW,
    },
    companions: [(simulation) => new StakeChanges(simulation, { ...options, joining, jails: isLong })],
    heights: isLong ? SLASHING_WINDOW : 4n,
  };
}

/** Half of the seeds with stake, half with changes that the application makes up. */
function validators(random: SeededRandom, seed: number): Scenario {
  const modules = [chainChanges(seed)];
  if (seed % 2 === 0) {
    const scenario = staking(random, seed % 8 === 0);
    return { ...scenario, options: { ...scenario.options, modules } };
  }
  const scenario = base(random, 4);
  const joining = [10, 11].map(validatorSeed);
  const changing = scenario.options.machines.slice(1).map(({ keySeed }) => keySeed);
  const changes = { seed, changing, joining, scheme: quickScheme, power: POWER };
  const machines = [...scenario.options.machines, ...joining.map((keySeed, i) => fullNode(i, keySeed))];
  return {
    ...scenario,
    options: {
      ...scenario.options,
      modules,
      machines: machines.map((machine) => ({
        ...machine,
        application: (application) => withValidatorChanges(application, changes),
      })),
    },
    heights: 4n,
  };
}

function fullNode(index: number, keySeed: Uint8Array): MachineOptions {
  return { name: `f${index}`, keySeed, isHonest: true };
}

function sync(random: SeededRandom): Scenario {
  const scenario = base(random, 4);
  const { machines } = scenario.options;
  const late = [fullNode(0, validatorSeed(20)), fullNode(1, validatorSeed(21))].slice(0, 1 + random.below(2));
  const liars = [0, 1]
    .slice(0, 1 + random.below(2))
    .map((i) =>
      syncLiar(random.pick(LIES) ?? 'claims more', { name: `l${i}`, keySeed: validatorSeed(30 + i) }),
    );
  const faults = someOf(['storm', 'one way', 'disconnect', 'kill', 'power cut', 'pause'], random);
  const lateFromMs = someLateFromMs(random);
  const { options } = scenario;
  const moves = { ...options, joining: [], jails: false };
  // Then the set changes all the time. It takes half as much CPU again: half of the seeds do it.
  const isStaked = random.percent(50);
  return {
    ...scenario,
    options: { ...options, machines: [...machines, ...late, ...liars], isStaked },
    companions: isStaked ? [(simulation) => new StakeChanges(simulation, moves)] : [],
    faults,
    late: late.map(({ name }) => name),
    lateFromMs,
    heights: 3n,
  };
}

/** Some join while faults go on. */
function someLateFromMs(random: SeededRandom): number | undefined {
  return random.percent(40) ? 500 + random.below(1_500) : undefined;
}

/** Late nodes begin with a snapshot; some of those who offer one, and of those who vouch for it, lie. */
function stateSync(random: SeededRandom): Scenario {
  const scenario = base(random, 4);
  const { machines } = scenario.options;
  const liars = [0, 1].slice(0, 1 + random.below(2)).map((i) => {
    const snapshotLie = random.pick(SNAPSHOT_LIES) ?? 'changes chunks';
    const lightLie = random.percent(50) ? random.pick(LIGHT_LIES) : undefined;
    const liesNowAndThen = random.percent(40);
    return snapshotLiar(
      { snapshotLie, lightLie, liesNowAndThen },
      { name: `l${i}`, keySeed: validatorSeed(30 + i) },
    );
  });
  const honestNames = machines.map(({ name }) => name).slice(0, 2);
  // A liar may be the one whose headers are verified, or one that they are compared with.
  const trusts = random.percent(50) ? ['l0', ...honestNames] : [...honestNames, 'l0'];
  const late = [0, 1].slice(0, 1 + random.below(2)).map((i) => ({
    ...fullNode(i, validatorSeed(20 + i)),
    trusts,
  }));
  const isStaked = random.percent(50);
  return {
    ...scenario,
    options: {
      ...scenario.options,
      machines: [...machines, ...late, ...liars],
      isStaked,
      snapshots: {
        interval: 3 + random.below(3),
        keepRecent: 3,
        chunkBytes: isStaked ? STAKED_CHUNK_BYTES : SNAPSHOT_CHUNK_BYTES,
      },
    },
    faults: someOf(['storm', 'one way', 'disconnect', 'kill', 'power cut', 'slow disk'], random),
    late: late.map(({ name }) => name),
    lateEndings: random.below(4),
    lateFromMs: someLateFromMs(random),
    heights: 3n,
  };
}

/**
 * Three or, in half of the seeds, five of seven keys sign, besides their part in consensus, blocks that no
 * honest node would. With stake, in half of the seeds, the first evidence ends it; without they go on for
 * ever.
 */
function lightAttack(random: SeededRandom): Scenario {
  const scenario = base(random, 7);
  const all = Array.from({ length: 7 }, (_, i) => honest(i));
  // With three of seven keys they can forge a state, with five sign two blocks of one height.
  const honestCount = random.percent(50) ? 4 : 2;
  const machines = all.map((machine, i) => ({ ...machine, isHonest: i < honestCount }));
  return {
    ...scenario,
    options: {
      ...scenario.options,
      powers: machines.map(() => POWER),
      machines,
      isStaked: random.percent(50),
    },
    faults: someOf(['storm', 'partition', 'disconnect', 'kill', 'power cut', 'pause'], random),
    victims: machines.filter(({ isHonest }) => isHonest).map(({ name }) => name),
    forgers: machines.filter(({ isHonest }) => !isHonest).map(({ keySeed }) => keySeed),
    heights: 4n,
  };
}

/** The nodes have little room for transactions, and are given many. */
function flood(random: SeededRandom): Scenario {
  const scenario = base(random, 4);
  const accounts = 5;
  const room = 6 + random.below(20);
  return {
    ...scenario,
    options: {
      ...scenario.options,
      accounts: accounts + 1,
      config: (config) => ({
        ...config,
        mempool: { ...config.mempool, size: room, maxTxBytes: 5_000, cacheSize: 40 },
      }),
    },
    faults: someOf(['storm', 'partition', 'disconnect', 'kill', 'pause', 'slow application'], random),
    flood: { accounts, everyMs: 20 + random.below(60), burst: 1 + random.below(6) },
    transferEveryMs: Number.MAX_SAFE_INTEGER,
  };
}

/** With so many to keep, nodes go by `min-retain-blocks`. */
const KEPT_BY_SETTING = 4n;

/** Nodes forget old blocks; who joins late has one that forgets nothing, or begins with a snapshot. */
function pruning(random: SeededRandom): Scenario {
  const scenario = base(random, 4);
  const { machines } = scenario.options;
  const keep = BigInt(2 + random.below(3));
  const hasArchive = random.percent(50);
  const isArchive = (name: string): boolean => hasArchive && name === 'n0';
  const trust = hasArchive ? {} : { trusts: ['n0', 'n1', 'n2'], trustsRecent: true };
  const late = { ...fullNode(0, validatorSeed(20)), ...trust };
  // As the operator may set it; or an application that keeps less than its snapshots need.
  const forgets =
    keep === KEPT_BY_SETTING
      ? { minRetainBlocks: Number(keep) }
      : { application: (application: Application) => pruned(application, keep) };
  const all = [...machines, late].map((machine) =>
    isArchive(machine.name) ? machine : { ...machine, ...forgets },
  );
  return {
    ...scenario,
    options: {
      ...scenario.options,
      machines: all,
      evidenceBlocks: keep,
      snapshots: { interval: 3, keepRecent: 2, chunkBytes: SNAPSHOT_CHUNK_BYTES },
    },
    faults: someOf(['storm', 'partition', 'disconnect', 'kill', 'power cut', 'kill point', 'pause'], random),
    victims: machines.map(({ name }) => name),
    late: [late.name],
    lateEndings: random.below(2),
    healAtMs: 2_500 + random.below(2_500),
    heights: 3n,
  };
}

/** A hundred validators, each with a few peers. */
function large(): Scenario {
  const count = 100;
  const names = Array.from({ length: count }, (_, i) => `n${i}`);
  return {
    options: {
      scheme: quickScheme,
      powers: names.map(() => POWER),
      machines: names.map((_, i) => honest(i)),
      accounts: 3,
      wiring: { peersOf: ring(names) },
    },
    faults: [],
    transferEveryMs: 500,
    healAtMs: 0,
    heights: 2n,
  };
}
