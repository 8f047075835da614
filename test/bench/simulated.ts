/**
 * Commit latency of many validators on virtual time: whole nodes in one process (`test/simulation`), wires
 * with a latency, no faults, and no time passes while a node computes. What is left is what the algorithm
 * and the gossip cost in rounds of the network, messages and bytes.
 */
import { validatorSeed } from '../simulation/chain.ts';
import { quickScheme } from '../simulation/keys.ts';
import { neighbours, ring } from '../simulation/ring.ts';
import { Simulation } from '../simulation/simulation.ts';

/** Beyond so many validators not everybody is connected to everybody. */
const FULL_MESH_MAX = 16;
const TRANSFER_EVERY_MS = 500;
const SEED = 1;
const POWER = 10n;
/** Heights before the ones that count, unless an option says otherwise: the nodes start and find each other. */
const WARM_UP_HEIGHTS = 2;
const PATIENCE_MS = 600_000;

/** The simulated network. */
export interface SimulatedOptions {
  readonly validators: number;
  readonly blockTimeMs: number;
  readonly latencyMinMs: number;
  readonly latencyMaxMs: number;
  readonly heights: number;
  readonly warmUpHeights?: number;
}

/** What a height costs; virtual milliseconds. */
export interface SimulatedResult {
  /** Of each node, on average, as counted in the run. */
  readonly connections: number;
  readonly heights: number;
  readonly meanMs: number;
  /** From the first node that has a block committed to the last. */
  readonly spreadMs: number;
  readonly messagesPerNode: number;
  readonly bytesPerNode: number;
  readonly cpuSeconds: number;
}

/** Runs it. Throws when it gets stuck, or when somebody is not connected to exactly whom the plan says. */
export async function measureSimulated(options: SimulatedOptions): Promise<SimulatedResult> {
  const { validators, blockTimeMs, latencyMinMs, latencyMaxMs, heights } = options;
  const { warmUpHeights = WARM_UP_HEIGHTS } = options;
  const before = process.cpuUsage();
  const names = Array.from({ length: validators }, (_, i) => `n${i}`);
  const everybody = (name: string): readonly string[] => names.filter((other) => other !== name);
  const peersOf = validators > FULL_MESH_MAX ? ring(names) : everybody;
  const simulation = new Watched({
    seed: SEED,
    verbose: false,
    scheme: quickScheme,
    powers: names.map(() => POWER),
    machines: names.map((name, i) => ({ name, keySeed: validatorSeed(i), isHonest: true })),
    accounts: 3,
    wiring: { peersOf },
    config: (config) => ({
      ...config,
      consensus: { ...config.consensus, timeoutCommitMs: blockTimeMs, timeoutProposeMs: 3_000 },
    }),
  });
  simulation.wires.weather = { ...simulation.wires.weather, latencyMinMs, latencyMaxMs };
  await run(simulation, BigInt(warmUpHeights));
  const planned = neighbours(names, peersOf);
  checkConnections(simulation, planned);
  const { messages, bytes } = simulation.wires;
  await run(simulation, BigInt(warmUpHeights + heights));
  checkConnections(simulation, planned);
  const { user, system } = process.cpuUsage(before);
  const times = [...simulation.times.values()].slice(warmUpHeights - 1);
  const spreads = times.map(({ firstMs, lastMs }) => lastMs - firstMs);
  const share = validators * heights;
  return {
    connections: sumOf(simulation.machines.map((machine) => peersOfNode(machine).length)) / validators,
    heights,
    meanMs: ((times.at(-1)?.lastMs ?? 0) - (times[0]?.lastMs ?? 0)) / heights,
    spreadMs: sumOf(spreads) / spreads.length,
    messagesPerNode: (simulation.wires.messages - messages) / share,
    bytesPerNode: (simulation.wires.bytes - bytes) / share,
    cpuSeconds: (user + system) / 1e6,
  };
}

/** When the first and the last node committed each height. */
class Watched extends Simulation {
  readonly times: Map<bigint, { readonly firstMs: number; lastMs: number; nodes: number }> = new Map();

  override committed(...[machine, committed]: Parameters<Simulation['committed']>): void {
    super.committed(machine, committed);
    const nowMs = this.scheduler.nowMs;
    const known = this.times.get(committed.height);
    if (known === undefined) this.times.set(committed.height, { firstMs: nowMs, lastMs: nowMs, nodes: 1 });
    else {
      known.lastMs = nowMs;
      known.nodes++;
    }
  }

  isEverywhere(height: bigint): boolean {
    return this.times.get(height)?.nodes === this.machines.length;
  }
}

/** Until everybody has that height. */
async function run(simulation: Watched, height: bigint): Promise<void> {
  const { scheduler, machines } = simulation;
  if (scheduler.nowMs === 0) {
    await simulation.init();
    for (const machine of machines) machine.start();
    const send = (): void => {
      simulation.sendTransfer();
      scheduler.after(TRANSFER_EVERY_MS, send);
    };
    scheduler.after(TRANSFER_EVERY_MS, send);
  }
  const done = await simulation.runUntil(() => simulation.isEverywhere(height), PATIENCE_MS);
  if (done) return;
  const [violation] = simulation.violations;
  throw new Error(
    `the simulation came to height ${simulation.height}: ${violation?.sentence ?? 'it is stuck'}`,
  );
}

function peersOfNode({ core }: Simulation['machines'][number]): readonly string[] {
  return (core?.network.peers() ?? []).map(({ id }) => id);
}

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, each) => sum + each, 0);

/** A figure of eight connections is worth nothing when there are a hundred. */
function checkConnections({ machines }: Simulation, planned: ReadonlyMap<string, ReadonlySet<string>>): void {
  for (const machine of machines) {
    const found = [...peersOfNode(machine)].sort(byName);
    const wanted = [...(planned.get(machine.name) ?? [])].sort(byName);
    if (found.join() !== wanted.join())
      throw new Error(`${machine.name} is connected to ${found.join()}, and not to ${wanted.join()}`);
  }
}

const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
