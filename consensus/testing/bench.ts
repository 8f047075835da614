/** A core on a bench: inputs by name, outputs in short. For tests only. */
import { defined } from '../../core/errors.ts';
import { DEFAULT_TIMEOUTS, type TimeoutConfig } from '../config.ts';
import { Consensus } from '../consensus.ts';
import type { Input, TimeoutKind, Validity } from '../input.ts';
import type { Output } from '../output.ts';
import { TEST_TIME, testBlock, testProposal, testValidators, testVote } from './fixtures.ts';
import { type BlockId, blockIdKey } from '../types/block-id.ts';
import type { UnsignedProposal } from '../types/proposal.ts';
import type { ValidatorSet } from '../types/validator.ts';
import { validatorIndex } from '../types/validator-set.ts';
import type { UnsignedVote, Vote, VoteType } from '../types/vote.ts';

/** Four validators of equal power. */
export const FOUR: ValidatorSet = testValidators(1n, 1n, 1n, 1n);
/** The names that outputs tell blocks by. */
export const NAMES: readonly ['v', 'w', 'x'] = ['v', 'w', 'x'];

/** The name of a block, or nil. */
export function nameOf(blockId: BlockId): string {
  return NAMES.find((name) => blockIdKey(testBlock(name)) === blockIdKey(blockId)) ?? 'nil';
}

function proposalText({ blockId, round, polRound }: UnsignedProposal): string {
  return `${nameOf(blockId)} ${round}/${polRound}`;
}

/** An output in short. */
export function text(output: Output): string {
  switch (output.kind) {
    case 'appendToWal':
      return `wal ${output.input.kind}${output.sync ? ' sync' : ''}`;
    case 'requestValue':
      return `request ${output.round}`;
    case 'signProposal':
      return `sign proposal ${proposalText(output.proposal)}`;
    case 'signVote':
      return `sign ${output.vote.type} ${nameOf(output.vote.blockId)} ${output.vote.round}`;
    case 'publishProposal':
      return `publish proposal ${nameOf(output.proposal.blockId)}`;
    case 'publishVote':
      return `publish ${output.vote.type} ${nameOf(output.vote.blockId)}`;
    case 'scheduleTimeout':
      return `timeout ${output.timeout.kind} ${output.timeout.round} ${output.durationMs}`;
    case 'validateValue':
      return `validate ${nameOf(output.blockId)} from ${output.from}`;
    case 'decide':
      return `decide ${nameOf(output.blockId)} ${output.height}/${output.round}`;
    case 'reportEvidence':
      return `evidence ${output.first.validatorIndex}`;
    case 'fault':
      return `fault ${output.reason}`;
  }
}

/** A core at the first height, one of four validators, or a follower. */
export class Bench {
  readonly core: Consensus;
  readonly validators: ValidatorSet;
  readonly own: number;
  signVotes: Output[] = [];

  constructor(options: { own: number; validators?: ValidatorSet; timeouts?: Partial<TimeoutConfig> }) {
    this.validators = options.validators ?? FOUR;
    this.own = options.own;
    const address = this.validators.validators[options.own]?.address;
    this.core = new Consensus({ address, timeouts: { ...DEFAULT_TIMEOUTS, ...options.timeouts } });
  }

  in(input: Input): string[] {
    const outputs = this.core.apply(input);
    this.signVotes = outputs.filter((output) => output.kind === 'signVote');
    return outputs.map(text);
  }
  start(height = 1n): string[] {
    return this.in({ kind: 'startHeight', height, validators: this.validators, last: undefined });
  }
  vote(
    type: VoteType,
    from: number,
    block?: string,
    more: { round?: number; height?: bigint } = {},
  ): string[] {
    return this.in({ kind: 'vote', vote: this.made(type, from, block, more) });
  }
  votes(type: VoteType, from: readonly number[], block?: string, round = 0): string[] {
    return from.flatMap((index) => this.vote(type, index, block, { round }));
  }
  made(type: VoteType, from: number, block?: string, more: { round?: number; height?: bigint } = {}): Vote {
    const { round = 0, height = 1n } = more;
    return testVote(this.validators, {
      type,
      round,
      from,
      height,
      ...(block === undefined ? {} : { for: block }),
    });
  }
  propose(block: string, round = 0, polRound = -1): string[] {
    return this.in({ kind: 'proposal', proposal: testProposal({ round, block, polRound }) });
  }
  value(block: string, validity: Validity = 'accepted'): string[] {
    return this.in({ kind: 'value', height: 1n, blockId: testBlock(block), validity });
  }
  timeout(kind: TimeoutKind, round = 0, height = 1n): string[] {
    return this.in({ kind: 'timeoutElapsed', timeout: { kind, height, round } });
  }
  signed(vote: UnsignedVote): string[] {
    return this.in({ kind: 'signedVote', vote: signature(vote) });
  }
  /** Signs what was asked last. */
  sign(): string[] {
    return this.signVotes.flatMap((output) => (output.kind === 'signVote' ? this.signed(output.vote) : []));
  }
  /** The others, in order. */
  others(): number[] {
    return this.validators.validators.map((_, index) => index).filter((index) => index !== this.own);
  }
}

/** The vote, signed. */
export function signature(vote: UnsignedVote): Vote {
  const none = new Uint8Array(0);
  return {
    ...vote,
    timestamp: TEST_TIME,
    signature: Uint8Array.of(1),
    extension: none,
    extensionSignature: none,
  };
}

/** The index of a round's proposer. */
export function proposerOf(round: number): number {
  const core = new Consensus({ address: undefined, timeouts: DEFAULT_TIMEOUTS });
  core.apply({ kind: 'startHeight', height: 1n, validators: FOUR, last: undefined });
  for (let r = 0; r < round; r++) {
    core.apply({ kind: 'timeoutElapsed', timeout: { kind: 'propose', height: 1n, round: r } });
    for (const from of [0, 1]) {
      const vote = testVote(FOUR, { type: 'prevote', round: r + 1, from });
      core.apply({ kind: 'vote', vote });
    }
  }
  return validatorIndex(FOUR, defined(core.proposer(round), 'proposer').address);
}

/** Who proposes in round 0. */
export const PROPOSER: number = proposerOf(0);
/** Who does not propose in the first rounds. */
export const FOLLOWER: number = [0, 1, 2, 3].find((index) => ![0, 1, 2].map(proposerOf).includes(index)) ?? 3;

/** A core of `FOLLOWER` in round 0 of height 1. */
export function bench(timeouts: Partial<TimeoutConfig> = {}): Bench {
  const made = new Bench({ own: FOLLOWER, timeouts });
  made.start();
  return made;
}
