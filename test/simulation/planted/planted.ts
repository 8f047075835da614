/**
 * Bugs put into honest nodes on purpose, from outside: around the core, or into what they are given. The
 * simulator has to find each of them.
 */
import { isNilBlockId } from '../../../consensus/types/block-id.ts';
import { DEFAULT_BLOCK_SYNC } from '../../../node/blocksync/block-sync.ts';
import { decodeBlockRequest, decodeBlockResponse } from '../../../node/blocksync/messages.ts';
import type { ConsensusCore } from '../../../node/engine/ports.ts';
import type { Module } from '../../../framework/module.ts';
import type { Application } from '../../../node/application.ts';
import type { NodeEnvironment } from '../../../node/environment.ts';
import { BLOCKS_PROTOCOL } from '../../../p2p/channels.ts';
import type { MachineOptions, SimMachine } from '../machine.ts';
import type { Fault } from '../faults.ts';
import type { Profile, Scenario } from '../profiles.ts';
import { unboundedBook } from '../discovery/unbounded-book.ts';
import { limitless } from '../rpc/limitless.ts';
import { anHourAhead, blindToAppHashes, differingOnOne, halfTwins, stuckParams } from './broken-promises.ts';
import {
  claimingAll,
  credulous,
  forgetfulOfResults,
  recordsThatFit,
  refusingInSilence,
  silentOnCommits,
  silentOnMisbehavior,
  sometimesSilent,
  sumsThatFit,
} from './carelessness.ts';
import { refusingForNoReason, stoppingOnceMore } from './other-reasons.ts';
import { endingEarly, FORGETTING_SEQUENCES, losingCommits } from './forgetfulness.ts';
import { restoringAnything } from './restoring-anything.ts';
import { proposingNone, tellingNobody } from './silent-evidence.ts';

/** A bug, and where it is looked for. */
export interface PlantedBug {
  readonly profile: Profile;
  /** The search begins here: seeds before it find nothing. */
  readonly from: number;
  /** How long progress is waited for; default: that of the profile. */
  readonly patienceMs?: number;
  /** Default: those of the seed. */
  readonly faults?: readonly Fault[];
  /** Invariants that may notice it. */
  readonly noticedBy: readonly string[];
  readonly plant?: (environment: NodeEnvironment, machine: SimMachine) => NodeEnvironment;
  readonly application?: (application: Application, machine: SimMachine) => Application;
  /** Further modules of the state machine, on every node and wherever blocks are executed again. */
  readonly modules?: readonly Module[];
  /** What else is different. */
  readonly scenario?: (scenario: Scenario) => Scenario;
}

const ASKS_AGAIN_AFTER_MS = 100;

/** The bugs by name. */
export const PLANTED: Readonly<Record<string, PlantedBug>> = {
  'the lock rule is skipped': {
    profile: 'safety',
    from: 86,
    noticedBy: ['locked value', 'agreement'],
    plant: (environment) => ({ ...environment, wrapCore: withoutLocks }),
  },
  'the write-ahead log is not synced': {
    profile: 'crash',
    from: 1,
    faults: ['power cut', 'kill point', 'partition'],
    noticedBy: ['locked value', 'double sign', 'honest nodes run', 'liveness'],
    plant: lyingDisk((path) => path.includes('cs.wal')),
  },
  'the signing state is not synced': {
    profile: 'crash',
    from: 1,
    noticedBy: ['double sign', 'honest nodes run'],
    plant: lyingDisk((path) => path.includes('priv_validator_state') || path.endsWith('/data')),
  },
  'a node whose disk was full stops again for no reason': {
    profile: 'crash',
    from: 10,
    noticedBy: ['honest nodes run'],
    application: stoppingOnceMore,
  },
  'a lost signing state is refused for no reason': {
    profile: 'crash',
    from: 1,
    noticedBy: ['honest nodes run'],
    plant: refusingForNoReason,
  },
  'a vote counts for its neighbour as well': {
    profile: 'safety',
    from: 1,
    noticedBy: ['locked value', 'agreement', 'validity', 'honest nodes run'],
    plant: (environment) => ({ ...environment, wrapCore: countingTwice }),
  },
  'conflicting votes are not reported': {
    profile: 'byzantine',
    from: 1,
    noticedBy: ['evidence'],
    plant: (environment) => ({ ...environment, wrapCore: lookingAway }),
  },
  'applications are not told who signed': {
    profile: 'safety',
    from: 1,
    noticedBy: ['replay'],
    application: silentOnCommits,
  },
  'applications are not told of misbehaviour': {
    profile: 'byzantine',
    from: 1,
    noticedBy: ['replay', 'punished'],
    application: silentOnMisbehavior,
  },
  'some applications are not told who signed and of misbehaviour': {
    profile: 'byzantine',
    from: 1,
    noticedBy: ['agreement', 'honest nodes run', 'liveness', 'replay', 'validity', 'blame', 'punished'],
    application: sometimesSilent,
  },
  'evidence is not gossiped': {
    profile: 'byzantine',
    from: 93,
    noticedBy: ['evidence is included'],
    plant: tellingNobody,
  },
  'proposers include no evidence': {
    profile: 'byzantine',
    from: 3,
    noticedBy: ['evidence is included'],
    plant: proposingNone,
  },
  'the height that a peer claims is trusted': {
    profile: 'sync',
    from: 3,
    patienceMs: 30_000,
    noticedBy: ['liveness'],
    plant: trusting,
  },
  'the reason of a refusal is lost': {
    profile: 'flood',
    from: 1,
    noticedBy: ['refusals say why'],
    application: refusingInSilence,
  },
  'who prunes claims to have all blocks': {
    profile: 'pruning',
    from: 1,
    patienceMs: 15_000,
    noticedBy: ['blame', 'liveness'],
    plant: claimingAll,
  },
  'the checksums of the log are not verified': {
    profile: 'bitflip',
    from: 22,
    noticedBy: ['honest nodes run', 'damage is named', 'double sign', 'locked value', 'no error escapes'],
    plant: sumsThatFit,
  },
  'the checksums of records are not verified': {
    profile: 'bitflip',
    from: 3,
    noticedBy: ['damage is named', 'honest nodes run', 'no error escapes', 'blame', 'agreement'],
    plant: recordsThatFit,
  },
  'the signatures of an attack are not verified': {
    profile: 'lightattack',
    from: 10,
    noticedBy: ['attacks are punished'],
    plant: (environment) => ({ ...environment, verify: () => true }),
  },
  'a restore does not verify the app hash': {
    profile: 'statesync',
    from: 23,
    patienceMs: 10_000,
    noticedBy: ['honest nodes run', 'liveness'],
    application: restoringAnything,
  },
  'the address book takes whatever it is told': {
    profile: 'discovery',
    from: 1,
    noticedBy: ['address book'],
    plant: unboundedBook,
  },
  'blocks are not held against the state': {
    profile: 'badblocks',
    from: 1,
    noticedBy: ['bad blocks are refused'],
    plant: credulous,
  },
  'the results hash is neither made nor verified': {
    profile: 'safety',
    from: 1,
    noticedBy: ['validity'],
    plant: forgetfulOfResults,
  },
  'more than a third sign twice': {
    profile: 'byzantine',
    from: 28,
    faults: ['partition'],
    noticedBy: ['agreement'],
    scenario: halfTwins,
  },
  'one application has another state': {
    profile: 'safety',
    from: 1,
    noticedBy: ['agreement'],
    application: differingOnOne,
  },
  'transactions are good for more than one block': {
    profile: 'safety',
    from: 3,
    faults: ['kill'],
    noticedBy: ['once'],
    modules: [FORGETTING_SEQUENCES],
  },
  'votes are an hour ahead of the clock': {
    profile: 'safety',
    from: 1,
    noticedBy: ['time'],
    plant: anHourAhead,
  },
  'commits do not reach the disk of the application': {
    profile: 'safety',
    from: 1,
    faults: ['storm', 'partition'],
    noticedBy: ['restore'],
    application: losingCommits,
  },
  'a height ends before its conflicting votes are on disk': {
    profile: 'byzantine',
    from: 1,
    faults: ['kill', 'kill point', 'power cut'],
    noticedBy: ['evidence'],
    plant: endingEarly,
    scenario: (scenario) => ({ ...scenario, faultsLast: { maxMs: 300, betweenMsMax: 200 } }),
  },
  'the app hash of blocks is not verified': {
    profile: 'badblocks',
    from: 32,
    noticedBy: ['bad blocks are refused'],
    plant: blindToAppHashes,
  },
  'changes of consensus parameters are ignored': {
    profile: 'validators',
    from: 1,
    noticedBy: ['validity'],
    plant: stuckParams,
  },
  'limits of subscriptions are ignored': {
    profile: 'rpcflood',
    from: 1,
    noticedBy: ['limits'],
    plant: limitless,
  },
};

/** The scenario with the bug in every honest node. */
export function planted(bug: PlantedBug, made: Scenario): Scenario {
  const { plant, application, modules = [], faults = [], patienceMs } = bug;
  const scenario = bug.scenario?.(made) ?? made;
  const change = ({ environment: own = (same) => same }: MachineOptions): Partial<MachineOptions> => ({
    ...(plant === undefined ? {} : { environment: (given, on) => plant(own(given, on), on) }),
    ...(application === undefined ? {} : { application }),
  });
  const machines = scenario.options.machines.map((machine) =>
    machine.isHonest ? { ...machine, ...change(machine) } : machine,
  );
  const all = [...(scenario.options.modules ?? []), ...modules];
  const options = { ...scenario.options, machines, modules: all };
  return {
    ...scenario,
    options,
    faults: faults.length > 0 ? faults : scenario.faults,
    patienceMs: patienceMs ?? scenario.patienceMs,
  };
}

/** Says that it has synced, and has not. */
function lyingDisk(about: (path: string) => boolean): NonNullable<PlantedBug['plant']> {
  return (environment, machine) => {
    machine.disk.ignoresSync = about;
    return environment;
  };
}

/** Prevotes whatever is proposed, locked or not. */
function withoutLocks(core: ConsensusCore): ConsensusCore {
  return changed(core, {
    apply: (input) =>
      core.apply(input).map((output) => {
        if (output.kind !== 'signVote' || output.vote.type !== 'prevote') return output;
        const proposal = core.proposal(output.vote.round);
        if (proposal === undefined || !isNilBlockId(output.vote.blockId)) return output;
        return { ...output, vote: { ...output.vote, blockId: proposal.blockId } };
      }),
  });
}

/** Counts each vote of another for its neighbour as well. */
function countingTwice(core: ConsensusCore): ConsensusCore {
  return changed(core, {
    apply: (input) => {
      if (input.kind !== 'vote') return core.apply(input);
      const { validators } = core.validators();
      const at = (input.vote.validatorIndex + 1) % validators.length;
      const validatorAddress = validators[at]?.address ?? input.vote.validatorAddress;
      const again = { ...input, vote: { ...input.vote, validatorIndex: at, validatorAddress } };
      return [...core.apply(input), ...core.apply(again)];
    },
  });
}

/** Believes what peers claim to have for as long as they claim it, and holds nothing against them. */
function trusting(environment: NodeEnvironment): NodeEnvironment {
  return {
    ...environment,
    blockSync: { ...DEFAULT_BLOCK_SYNC, distrustMs: 0, patienceMs: Number.MAX_SAFE_INTEGER },
    openNetwork: async (options) => {
      const network = await environment.openNetwork(options);
      network.penalize = () => undefined;
      const request = network.request.bind(network);
      network.request = async (peer, protocol, bytes, limits) => {
        for (;;) {
          const response = await request(peer, protocol, bytes, limits);
          if (protocol !== BLOCKS_PROTOCOL.name) return response;
          if (decodeBlockResponse(decodeBlockRequest(bytes), response).length > 0) return response;
          // It said that it has it, so it will.
          await new Promise<void>((resolve) => environment.timers.after(ASKS_AGAIN_AFTER_MS, resolve));
        }
      };
      return network;
    },
  };
}

/** Says nothing of conflicting votes. */
function lookingAway(core: ConsensusCore): ConsensusCore {
  return changed(core, {
    apply: (input) => core.apply(input).filter(({ kind }) => kind !== 'reportEvidence'),
  });
}

/** The core with another `apply`, whatever else it can do. */
function changed(core: ConsensusCore, change: Pick<ConsensusCore, 'apply'>): ConsensusCore {
  return new Proxy(core, {
    get: (target, name) => {
      if (name === 'apply') return change.apply;
      const member: unknown = Reflect.get(target, name);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}
