/**
 * Counting votes by stake. Delegators who vote take their part out of what their validators vote with. After
 * x/gov `keeper/tally.go`.
 */
import { Decimal } from '../../core/decimal.ts';
import { latin1 } from '../../framework/address.ts';
import type { ReadContext } from '../../framework/context.ts';
import {
  type Params,
  type Proposal,
  type TallyResult,
  VoteOption,
  type WeightedVoteOption,
} from '../../proto/gen/cosmos/gov/v1/gov.ts';
import type { GovCore } from './ports.ts';
import { byProposalKey } from './state.ts';

/** What the votes say. */
export interface Tally {
  readonly passes: boolean;
  readonly burnsDeposits: boolean;
  readonly result: TallyResult;
}

/** A bonded validator, what others took out of its vote, and its vote. */
interface Voice {
  readonly tokens: bigint;
  readonly shares: Decimal;
  deductions: Decimal;
  options: readonly WeightedVoteOption[];
}

/** Nothing. */
export const EMPTY_TALLY: TallyResult = {
  yesCount: '0',
  abstainCount: '0',
  noCount: '0',
  noWithVetoCount: '0',
};

class Count {
  readonly #results = new Map<number, Decimal>();
  total: Decimal = Decimal.ZERO;

  add(power: Decimal, options: readonly WeightedVoteOption[]): void {
    for (const { option, weight } of options) {
      const part = power.multiply(Decimal.ofText(weight));
      this.#results.set(option, this.of(option).add(part));
    }
    this.total = this.total.add(power);
  }

  of(option: number): Decimal {
    return this.#results.get(option) ?? Decimal.ZERO;
  }

  result(): TallyResult {
    const text = (option: number): string => this.of(option).truncate().toString();
    return {
      yesCount: text(VoteOption.VOTE_OPTION_YES),
      abstainCount: text(VoteOption.VOTE_OPTION_ABSTAIN),
      noCount: text(VoteOption.VOTE_OPTION_NO),
      noWithVetoCount: text(VoteOption.VOTE_OPTION_NO_WITH_VETO),
    };
  }
}

/** Counts the votes on a proposal; they stay. Its cost grows with the votes and the voters' delegations. */
export function tally(k: GovCore, context: ReadContext, proposal: Proposal): Tally {
  const params = k.state.params.require(context);
  const count = countVotes(k, context, proposal.id);
  const result = count.result();
  const rejected = (burnsDeposits: boolean): Tally => ({ passes: false, burnsDeposits, result });
  const totalBonded = k.staking.totalBonded(context);
  if (totalBonded === 0n) return rejected(false);
  const voting = count.total.divide(Decimal.ofInteger(totalBonded));
  if (voting.lessThan(Decimal.ofText(params.quorum))) return rejected(params.burnVoteQuorum);
  const decided = count.total.subtract(count.of(VoteOption.VOTE_OPTION_ABSTAIN));
  // Without stake behind the votes the SDK divides by zero when no quorum is asked for.
  if (decided.sign === 0) return rejected(false);
  const veto = count.of(VoteOption.VOTE_OPTION_NO_WITH_VETO).divide(count.total);
  if (veto.greaterThan(Decimal.ofText(params.vetoThreshold))) return rejected(params.burnVoteVeto);
  const yes = count.of(VoteOption.VOTE_OPTION_YES).divide(decided);
  const passes = yes.greaterThan(thresholdOf(proposal, params));
  return { passes, burnsDeposits: false, result };
}

function thresholdOf({ expedited }: Proposal, params: Params): Decimal {
  return Decimal.ofText(expedited ? params.expeditedThreshold : params.threshold);
}

function countVotes(k: GovCore, context: ReadContext, id: bigint): Count {
  const voices = new Map<string, Voice>();
  for (const { operator, tokens, shares } of k.staking.bondedByPower(context))
    voices.set(latin1(operator), { tokens, shares, deductions: Decimal.ZERO, options: [] });
  const count = new Count();
  for (const [[, voter], { options }] of k.state.votes.iterate(context, {
    prefix: byProposalKey.prefix(id),
  })) {
    const own = voices.get(latin1(voter));
    if (own !== undefined) own.options = options;
    for (const { validator, shares } of k.staking.delegationsOf(context, voter)) {
      const voice = voices.get(latin1(validator));
      if (voice === undefined || voice.shares.sign === 0) continue;
      voice.deductions = voice.deductions.add(shares);
      count.add(shares.multiplyInteger(voice.tokens).divide(voice.shares), options);
    }
  }
  for (const { tokens, shares, deductions, options } of voices.values()) {
    if (options.length === 0 || shares.sign === 0) continue;
    count.add(shares.subtract(deductions).multiplyInteger(tokens).divide(shares), options);
  }
  return count;
}
