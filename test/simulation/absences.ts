/** Profiles of those who are away: for long, for ever, or again and again. */
import type { SeededRandom } from '../../consensus/simulation/random.ts';
import type { NodeConfig } from '../../node/config/config.ts';
import type { Fault } from './faults.ts';
import type { MachineOptions } from './machine.ts';
import type { Scenario } from './profiles.ts';
import { Rotation } from './rotation.ts';

/** Longer than any request waits, and than most bans. */
const LONG_MS_MAX = 45_000;
const LONG_BETWEEN_MS_MAX = 8_000;
const POWER = 10n;
const LONG_FAULTS: readonly Fault[] = [
  'one way',
  'partition',
  'disconnect',
  'torn round',
  'kill',
  'power cut',
  'pause',
  'clock jump',
  'slow disk',
  'slow application',
  'disk full',
];

/** Faults that outlast every request; one node joins in the middle of them. */
export function long(scenario: Scenario, random: SeededRandom, late: MachineOptions): Scenario {
  const faults = LONG_FAULTS.filter(() => random.percent(40));
  return {
    ...scenario,
    options: {
      ...scenario.options,
      machines: [...scenario.options.machines, late],
      config: unhurried,
    },
    faults: faults.length > 0 ? faults : ['pause'],
    faultsLast: { maxMs: LONG_MS_MAX, betweenMsMax: LONG_BETWEEN_MS_MAX },
    late: [late.name],
    lateFromMs: 1_000 + random.below(20_000),
    transferEveryMs: 1_000,
    healAtMs: 25_000 + random.below(25_000),
    heights: 3n,
  };
}

/** A little less than a third of the power is never there. */
export function absentThird(scenario: Scenario, random: SeededRandom): Scenario {
  const { machines } = scenario.options;
  const away = Math.floor((machines.length - 1) / 3);
  const present = machines.length - away;
  // The most that is less than half of what is there.
  const power = (BigInt(present) * POWER - 1n) / (2n * BigInt(away));
  const isAway = (index: number): boolean => index >= present;
  const absent = machines.filter((_, i) => isAway(i)).map(({ name }) => name);
  return {
    ...scenario,
    options: { ...scenario.options, powers: machines.map((_, i) => (isAway(i) ? power : POWER)) },
    absent,
    bystanders: absent,
    victims: machines.filter(({ name }) => !absent.includes(name)).map(({ name }) => name),
    healAtMs: 1_000 + random.below(3_000),
    heights: 5n,
  };
}

/** Full nodes come and go all the time; they have blocks from each other, and each from one validator. */
export function rotating(scenario: Scenario, full: readonly MachineOptions[]): Scenario {
  const { machines } = scenario.options;
  const validators = machines.map(({ name }) => name);
  const names = full.map(({ name }) => name);
  const peersOf = (name: string): readonly string[] => {
    if (validators.includes(name)) return validators.filter((other) => other !== name);
    const validator = validators[names.indexOf(name) % validators.length] ?? '';
    return [...names.filter((other) => other !== name), validator];
  };
  return {
    ...scenario,
    options: { ...scenario.options, machines: [...machines, ...full], wiring: { peersOf } },
    absent: names,
    bystanders: names,
    companions: [(simulation) => new Rotation(simulation, names)],
    victims: validators,
  };
}

/** Blocks of a second: there is much time to fill. */
function unhurried(config: NodeConfig): NodeConfig {
  return { ...config, consensus: { ...config.consensus, timeoutCommitMs: 1_000 } };
}
