/** Votes. After x/gov `keeper/vote.go`. */
import { Decimal } from '../../core/decimal.ts';
import { messageOf } from '../../core/errors.ts';
import type { Address } from '../../framework/address.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import { VoteOption, type WeightedVoteOption } from '../../proto/gen/cosmos/gov/v1/gov.ts';
import { govErrors } from './errors.ts';
import { voted } from './events.ts';
import type { GovCore } from './ports.ts';
import { requireLength } from './submit.ts';

const OPTIONS: readonly number[] = [
  VoteOption.VOTE_OPTION_YES,
  VoteOption.VOTE_OPTION_ABSTAIN,
  VoteOption.VOTE_OPTION_NO,
  VoteOption.VOTE_OPTION_NO_WITH_VETO,
];

/** A vote that is to be cast. */
export interface VoteOrder {
  readonly proposalId: bigint;
  readonly voter: Address;
  readonly options: readonly WeightedVoteOption[];
  readonly metadata: string;
}

/** A vote for one option. @throws StateError (gov 7) */
export function singleOption(option: number): readonly WeightedVoteOption[] {
  if (!OPTIONS.includes(option)) throw new StateError(govErrors.invalidVote, optionName(option));
  return [{ option, weight: Decimal.ONE.toString() }];
}

function optionName(option: number): string {
  const found = Object.entries(VoteOption).find(([, number]) => number === option);
  return found?.[0] ?? String(option);
}

/**
 * A vote in parts: each option once, together all of it.
 * @returns the same
 * @throws StateError (sdk 18; gov 7)
 */
export function requireWhole(options: readonly WeightedVoteOption[]): readonly WeightedVoteOption[] {
  if (options.length === 0) throw new StateError(sdkErrors.invalidRequest, '[]');
  let total = Decimal.ZERO;
  const used = new Set<number>();
  for (const { option, weight } of options) {
    const part = weightOf(weight);
    if (!OPTIONS.includes(option) || part.sign <= 0 || part.greaterThan(Decimal.ONE))
      throw new StateError(govErrors.invalidVote, `option:${optionName(option)} weight:"${weight}" `);
    total = total.add(part);
    if (used.has(option)) throw new StateError(govErrors.invalidVote, 'duplicated vote option');
    used.add(option);
  }
  if (total.greaterThan(Decimal.ONE))
    throw new StateError(govErrors.invalidVote, 'total weight overflow 1.00');
  if (total.lessThan(Decimal.ONE))
    throw new StateError(govErrors.invalidVote, 'total weight lower than 1.00');
  return options;
}

function weightOf(text: string): Decimal {
  try {
    return Decimal.ofText(text);
  } catch (error) {
    throw new StateError(govErrors.invalidVote, `invalid weight: ${messageOf(error)}`);
  }
}

/** @throws StateError (gov 3) when the proposal is not voted on, (gov 15) */
export function checkVote(k: GovCore, context: ReadContext, { proposalId, metadata }: VoteOrder): void {
  if (!k.state.votingPeriod.has(context, proposalId))
    throw new StateError(govErrors.inactiveProposal, `${proposalId}`);
  requireLength(metadata);
}

/** Casts a vote; an earlier one of the same account is replaced. */
export function addVote(k: GovCore, context: Context, order: VoteOrder): void {
  const { proposalId, voter, options, metadata } = order;
  const text = k.addresses.toText(voter);
  k.state.votes.set(context, [proposalId, voter], { proposalId, voter: text, options, metadata });
  context.emit(voted(proposalId, text, options));
}
