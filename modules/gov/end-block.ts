/** Proposals whose time has come. After x/gov `abci.go`. */
import { assert, defined, LedgerError } from '../../core/errors.ts';
import { addDuration, compareInstants } from '../../core/time.ts';
import type { Context, Timestamp } from '../../framework/context.ts';
import { toStateError } from '../../framework/errors.ts';
import type { Pair } from '../../framework/keys.ts';
import { type Proposal, ProposalStatus } from '../../proto/gen/cosmos/gov/v1/gov.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import { burnDeposits, refundDeposits } from './deposits.ts';
import { droppedProposal, type ProposalResult, talliedProposal } from './events.ts';
import type { GovCore } from './ports.ts';
import { deleteProposal, deleteVotes, endOf, setProposal } from './proposals.ts';
import type { ProposalQueue } from './state.ts';
import { EMPTY_TALLY, type Tally, tally } from './tally.ts';

/** Most proposals that one block drops for want of deposits; the rest waits for the next. */
export const DROPPED_PER_BLOCK_MAX = 100;

/** Most proposals that one block counts the votes on. */
export const TALLIED_PER_BLOCK_MAX = 10;

/**
 * Deposits and votes after which a block begins with no further proposal. One proposal is always dealt with
 * as a whole, as in the SDK: whoever voted paid for what counting that vote takes.
 */
export const RECORDS_PER_BLOCK_MAX = 1_000;

/** Drops proposals without deposits, counts votes and carries out what has passed. */
export function endBlock(k: GovCore, context: Context): void {
  const { activeQueue, inactiveQueue } = k.state;
  let deposits = 0;
  for (const [, id] of due(context, inactiveQueue, DROPPED_PER_BLOCK_MAX)) {
    deposits += dropProposal(k, context, queuedProposal(k, context, id));
    if (deposits >= RECORDS_PER_BLOCK_MAX) break;
  }
  let records = 0;
  for (const key of due(context, activeQueue, TALLIED_PER_BLOCK_MAX)) {
    // What has been carried out in this block may have taken a later proposal back.
    if (activeQueue.has(context, key))
      records += decideProposal(k, context, queuedProposal(k, context, key[1]));
    if (records >= RECORDS_PER_BLOCK_MAX) break;
  }
}

function due(context: Context, queue: ProposalQueue, max: number): readonly Pair<Timestamp, bigint>[] {
  const keys: Pair<Timestamp, bigint>[] = [];
  for (const [key] of queue.iterate(context)) {
    if (compareInstants(key[0], context.block.time) > 0 || keys.length >= max) break;
    keys.push(key);
  }
  return keys;
}

function queuedProposal(k: GovCore, context: Context, id: bigint): Proposal {
  const proposal = k.state.proposals.get(context, id);
  assert(proposal !== undefined, 'a queue of governance names a proposal that is not there');
  return proposal;
}

/** @returns its deposits */
function dropProposal(k: GovCore, context: Context, proposal: Proposal): number {
  deleteProposal(k, context, proposal);
  const isBurned = k.state.params.require(context).burnProposalDepositPrevote;
  const deposits = (isBurned ? burnDeposits : refundDeposits)(k, context, proposal.id);
  context.emit(droppedProposal(proposal.id));
  return deposits;
}

/** What is written of a proposal that was voted on, and said of it. */
interface Decision {
  readonly changes: Partial<Proposal>;
  readonly result: ProposalResult;
  readonly log: string;
}

/** @returns its votes and deposits */
function decideProposal(k: GovCore, context: Context, proposal: Proposal): number {
  const { passes, burnsDeposits, result: finalTallyResult } = safeTally(k, context, proposal);
  let records = deleteVotes(k, context, proposal.id);
  // An expedited proposal that fails is voted on again as a regular one, with its deposits.
  const isConverted = proposal.expedited && !passes;
  if (!isConverted) records += (burnsDeposits ? burnDeposits : refundDeposits)(k, context, proposal.id);
  k.state.activeQueue.remove(context, [endOf(proposal.votingEndTime), proposal.id]);
  const { changes, result, log } = passes
    ? carryOut(k, context, proposal)
    : isConverted
      ? convert(k, context, proposal)
      : REJECTED;
  setProposal(k, context, { ...proposal, ...changes, finalTallyResult });
  context.emit(talliedProposal(proposal.id, result, log));
  return records;
}

/** Shares of a validator that was slashed again and again may be too many to count with: nobody wins then. */
function safeTally(k: GovCore, context: Context, proposal: Proposal): Tally {
  try {
    return tally(k, context, proposal);
  } catch (error) {
    if (!(error instanceof LedgerError) || error.code !== 'decimal.overflow') throw error;
    return { passes: false, burnsDeposits: false, result: EMPTY_TALLY };
  }
}

const REJECTED: Decision = {
  changes: {
    status: ProposalStatus.PROPOSAL_STATUS_REJECTED,
    failedReason: 'proposal did not get enough votes to pass',
  },
  result: 'proposal_rejected',
  log: 'rejected',
};

function convert(k: GovCore, context: Context, proposal: Proposal): Decision {
  const period: Timestamp = defined(k.state.params.require(context).votingPeriod, 'voting period');
  const votingEndTime = addDuration(endOf(proposal.votingStartTime), period);
  k.state.activeQueue.set(context, [votingEndTime, proposal.id], proposal.id);
  return {
    changes: { expedited: false, votingEndTime },
    result: 'expedited_proposal_rejected',
    log: 'expedited proposal converted to regular',
  };
}

/** Runs all messages of a proposal, or none. Whatever they throw is written down: a block goes on. */
function carryOut(k: GovCore, context: Context, { messages }: Proposal): Decision {
  const { context: inner, write } = context.branch();
  for (const [index, any] of messages.entries()) {
    const failedReason = failureOf(k, inner, any);
    if (failedReason === undefined) continue;
    return {
      changes: { status: ProposalStatus.PROPOSAL_STATUS_FAILED, failedReason },
      result: 'proposal_failed',
      log: `passed, but msg ${index} (${any.typeUrl}) failed on execution: ${failedReason}`,
    };
  }
  write();
  context.emit(...inner.events);
  return {
    changes: { status: ProposalStatus.PROPOSAL_STATUS_PASSED },
    result: 'proposal_passed',
    log: 'passed',
  };
}

/** Why a message could not be carried out; undefined when it was. */
function failureOf(k: GovCore, context: Context, { typeUrl, value }: Any): string | undefined {
  try {
    const message = k.router().require(typeUrl).bind(value, k.addresses);
    message.validate();
    message.run(context);
    return undefined;
  } catch (error) {
    return toStateError(error).message;
  }
}
