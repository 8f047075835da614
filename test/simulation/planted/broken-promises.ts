/** Planted: nodes whose clocks, applications or peers are not what consensus takes them for. */
import { type BlockContext, makeBlock, verifyBlock } from '../../../consensus/types/block-rules.ts';
import { sha256 } from '../../../core/hash.ts';
import type { Application } from '../../../node/application.ts';
import type { NodeEnvironment } from '../../../node/environment.ts';
import { genesisOf } from '../../../node/node-settings.ts';
import type { MachineOptions, SimMachine } from '../machine.ts';
import type { Scenario } from '../profiles.ts';

const NANOS_PER_HOUR = 3_600_000_000_000n;

/** Takes an hour later than its clock shows for now. */
export function anHourAhead(environment: NodeEnvironment): NodeEnvironment {
  const { clock } = environment;
  return { ...environment, clock: { ...clock, now: () => clock.now() + NANOS_PER_HOUR } };
}

/** On one of the nodes the application says that its state is another one. */
export function differingOnOne(application: Application, { name }: SimMachine): Application {
  if (name !== 'n1') return application;
  return {
    ...application,
    finalizeBlock: async (request, control) => {
      const response = await application.finalizeBlock(request, control);
      return { ...response, appHash: sha256(response.appHash) };
    },
  };
}

/** Takes whatever a block says of the state before it. */
export function blindToAppHashes(environment: NodeEnvironment): NodeEnvironment {
  return {
    ...environment,
    blockRules: {
      makeBlock,
      verifyBlock: (block, context, verify) =>
        verifyBlock(block, { ...context, appHash: block.header.appHash }, verify),
    },
  };
}

/** Makes and judges blocks by the parameters of the genesis. */
export function stuckParams(environment: NodeEnvironment, { ports }: SimMachine): NodeEnvironment {
  const { consensusParams } = genesisOf(ports.genesis);
  const stuck = (context: BlockContext): BlockContext => ({ ...context, consensusParams });
  return {
    ...environment,
    blockRules: {
      makeBlock: (context, content) => makeBlock(stuck(context), content),
      verifyBlock: (block, context, verify) => verifyBlock(block, stuck(context), verify),
    },
  };
}

/** Of four validators two are twins each: more than a third sign twice, which consensus does not bear. */
export function halfTwins(scenario: Scenario): Scenario {
  const { options } = scenario;
  const twins = (machine: MachineOptions): readonly MachineOptions[] =>
    ['a', 'b'].map((letter) => ({
      name: `${machine.name}${letter}`,
      keySeed: machine.keySeed,
      isHonest: false,
    }));
  const machines = options.machines.slice(0, 4).flatMap((machine, i) => (i < 2 ? [machine] : twins(machine)));
  const victims = machines.filter(({ isHonest }) => isHonest).map(({ name }) => name);
  return { ...scenario, options: { ...options, powers: options.powers.slice(0, 4), machines }, victims };
}
