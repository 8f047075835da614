/** Every hook of a module: its work in a block, what bounds that, and which test holds it. */
import {
  DECIDED_WORK_MAX,
  EXPIRED_PER_BLOCK_MAX,
  FORGOTTEN_WORK_MAX,
  RELEASED_PER_BLOCK_MAX,
  VOIDED_WORK_MAX,
} from '../../modules/attribution/end-block.ts';
import { WORK } from '../../modules/attribution/work.ts';
import { FORGOTTEN_PER_BLOCK } from '../../modules/channels/end-block.ts';
import { TIMEOUTS_FORGOTTEN_MAX } from '../../modules/auth/module.ts';
import { DEQUEUED_PER_BLOCK_MAX } from '../../modules/authz/module.ts';
import { PRUNED_PER_BLOCK_MAX as ALLOWANCES_MAX } from '../../modules/feegrant/module.ts';
import {
  DROPPED_PER_BLOCK_MAX,
  RECORDS_PER_BLOCK_MAX,
  TALLIED_PER_BLOCK_MAX,
} from '../../modules/gov/end-block.ts';
import { NONCES_FORGOTTEN_PER_BLOCK_MAX } from '../../modules/payments/authorizations.ts';
import { HOLDS_RETURNED_PER_BLOCK_MAX } from '../../modules/payments/holds.ts';
import {
  AUTO_CLAIM_ROWS_MAX,
  CHANGE_ROWS_MAX,
  CREDITS_FORGOTTEN_MAX,
  DENOMS_MAX,
} from '../../modules/pools/limits.ts';
import {
  EXPIRED_PER_BLOCK_MAX as EPOCH_REQUESTS_EXPIRED,
  FORGOTTEN_PER_BLOCK_MAX,
  PAID_WORK_MAX,
} from '../../modules/settlement/end-block.ts';
import { PRUNED_PER_BLOCK_MAX as HEADERS_MAX } from '../../modules/staking/history.ts';
import { MATURED_PER_BLOCK_MAX } from '../../modules/staking/valset.ts';

/** When a hook runs. */
export type When = 'preBlock' | 'beginBlock' | 'endBlock';

/** One piece of a hook's work. */
export interface HookRow {
  readonly module: string;
  readonly when: When;
  readonly work: string;
  readonly bound: string;
  /** Name of a test of `hooks.test.ts`, or another one by its file. */
  readonly heldBy: string;
}

const SET = 'number of accounts changes nothing';
const BUDGETS = 'what is due waits its turn';

/** See the file comment. In the order in which they run. */
export const HOOKS: readonly HookRow[] = [
  {
    module: 'upgrade',
    when: 'preBlock',
    work: 'looks at the plan; at its height runs the upgrade’s migrations',
    bound: 'one plan; migrations are the program’s own',
    heldBy: 'app/upgrades.test.ts',
  },
  {
    module: 'auth',
    when: 'beginBlock',
    work: 'forgets timeouts of unordered transactions that have passed',
    bound: `${TIMEOUTS_FORGOTTEN_MAX} a block, the rest waits; each was paid for`,
    heldBy: BUDGETS,
  },
  {
    module: 'mint',
    when: 'beginBlock',
    work: 'reckons inflation, makes coins of one denomination',
    bound: 'constant; the supply of the minted denomination stays below 2^128',
    heldBy: SET,
  },
  {
    module: 'distribution',
    when: 'beginBlock',
    work: 'shares the fees of a block out to the votes of its commit',
    bound:
      'validators of the commit (at most `max_validators`) × denominations in the fee collector; users cannot make ' +
      'denominations, genesis has all of them',
    heldBy: SET,
  },
  {
    module: 'slashing',
    when: 'beginBlock',
    work: 'a bit and a record for each vote of the commit; who is down is slashed and jailed',
    bound:
      'validators of the commit; a jailing removes at most 977 pieces of a bitmap; a slash walks over what left that ' +
      'validator within the unbonding time, as in the SDK: each pair has at most `max_entries`, and who left paid gas for it',
    heldBy: SET,
  },
  {
    module: 'evidence',
    when: 'beginBlock',
    work: 'slashes and tombstones whom the block’s evidence names',
    bound:
      'evidence of a block (`evidence.max_bytes`), once for each validator, since it is tombstoned then; a slash as above',
    heldBy: 'modules/evidence/evidence.test.ts',
  },
  {
    module: 'staking',
    when: 'beginBlock',
    work: 'writes the set into the history, removes old headers',
    bound: `\`max_validators\`; ${HEADERS_MAX} headers a block, the rest waits`,
    heldBy: BUDGETS,
  },
  {
    module: 'authz',
    when: 'beginBlock',
    work: 'removes authorizations that have expired',
    bound:
      `stops after ${DEQUEUED_PER_BLOCK_MAX} queue entries and authorizations; the last entry is done as a whole ` +
      '(one granter, one grantee, one moment: at most one authorization for each message type)',
    heldBy: BUDGETS,
  },
  { module: 'consensus', when: 'beginBlock', work: 'writes the time', bound: 'constant', heldBy: SET },
  {
    module: 'staking',
    when: 'endBlock',
    work: 'works the set out anew from the index of powers',
    bound:
      '`max_validators` and the last set. Candidates whose kind of key is no longer allowed are passed over, each: they ' +
      'paid for their creation, and there are none unless governance forbids a kind',
    heldBy: SET,
  },
  {
    module: 'staking',
    when: 'endBlock',
    work: 'ends what has unbonded: validators, unbonding delegations, redelegations',
    bound:
      `each queue stops after ${MATURED_PER_BLOCK_MAX} entries, the rest waits, the oldest first (the SDK does all at once). All of one ` +
      'moment are done together: they are of one block, whose gas bounds them',
    heldBy: BUDGETS,
  },
  {
    module: 'gov',
    when: 'endBlock',
    work: 'drops proposals without deposits, gives deposits back or burns them',
    bound: `${DROPPED_PER_BLOCK_MAX} proposals; none after ${RECORDS_PER_BLOCK_MAX} deposits; the rest waits (the SDK does all at once)`,
    heldBy: BUDGETS,
  },
  {
    module: 'gov',
    when: 'endBlock',
    work: 'counts votes, carries out what has passed',
    bound:
      `${TALLIED_PER_BLOCK_MAX} proposals; none after ${RECORDS_PER_BLOCK_MAX} votes and deposits; the rest waits. One proposal is counted as a whole: ` +
      'its votes and the voters’ delegations, as in the SDK; who votes pays gas, no less than for a vote’s write. Its ' +
      'messages have no gas limit, as in the SDK; they fit into a transaction and somebody voted for them',
    heldBy: BUDGETS,
  },
  {
    module: 'feegrant',
    when: 'endBlock',
    work: 'removes allowances that have expired',
    bound: `${ALLOWANCES_MAX} a block, the rest waits; what waits cannot be used`,
    heldBy: BUDGETS,
  },
  {
    module: 'pools',
    when: 'endBlock',
    work: 'gives slots the weights that were ordered for the epoch that ends',
    bound:
      `${CHANGE_ROWS_MAX} rows of trees (a change takes the levels, at most 33, times the pool’s denominations, at most ` +
      `${DENOMS_MAX}, and two), the rest waits; one change is done as a whole; who ordered it paid \`gas_per_row\``,
    heldBy: 'modules/pools/pools.test.ts',
  },
  {
    module: 'pools',
    when: 'endBlock',
    work: 'claims for those who ordered it',
    bound: `${AUTO_CLAIM_ROWS_MAX} such rows, the rest waits; each attempt was paid for`,
    heldBy: 'modules/pools/auto-claims.test.ts',
  },
  {
    module: 'pools',
    when: 'endBlock',
    work: 'forgets credits that were kept for `credit_blocks`',
    bound: `${CREDITS_FORGOTTEN_MAX} a block, the rest waits; a payment paid for each`,
    heldBy: 'modules/pools/pools.test.ts',
  },
  {
    module: 'attribution',
    when: 'endBlock',
    work: 'voids shards whose publishers have not answered a request, gives bonds of requests back',
    bound: `${EXPIRED_PER_BLOCK_MAX} requests a block, the rest waits; each was paid for and has a bond`,
    heldBy: BUDGETS,
  },
  {
    module: 'attribution',
    when: 'endBlock',
    work: 'makes optimistic claims final: pays what waits for them or gives it to the pools',
    bound:
      `${DECIDED_WORK_MAX} units of work, the rest waits: ${WORK.claim} for a claim, ${WORK.shard} for a shard that it rests on (${WORK.shard + WORK.shardEnd} when its last index goes), ` +
      `${WORK.snapshot} for a snapshot of the model and ${WORK.node} for each node of its positions, ${WORK.payout} for a payout. One claim is ended as a whole (at most four indexes of \`shards_max\` shards, ` +
      '`shares_max` payouts); who submitted it paid `gas_per_share` for a payout and the rest in proportion',
    heldBy: 'test/attribution/end-block.test.ts',
  },
  {
    module: 'attribution',
    when: 'endBlock',
    work: 'forgets claims with proofs that nobody paid',
    bound: `${FORGOTTEN_WORK_MAX} such units, the rest waits; their queue is their own, so they hold nobody up`,
    heldBy: 'test/attribution/end-block.test.ts',
  },
  {
    module: 'attribution',
    when: 'endBlock',
    work: 'gives bonds of shards and of model cards back whose unbonding is over',
    bound: `${RELEASED_PER_BLOCK_MAX} a block of either kind, the rest waits; each was paid for`,
    heldBy: BUDGETS,
  },
  {
    module: 'attribution',
    when: 'endBlock',
    work: 'retires indexes on convicted shards that nobody has retired',
    bound: `none after ${VOIDED_WORK_MAX} such units, ${WORK.shardEnd} for a shard; the rest waits; publication paid for it`,
    heldBy: 'test/attribution/end-block.test.ts',
  },
  {
    module: 'payments',
    when: 'endBlock',
    work: 'returns holds that have expired to their payers',
    bound: `${HOLDS_RETURNED_PER_BLOCK_MAX} a block, the rest waits and may be reclaimed; opening a hold paid for it`,
    heldBy: BUDGETS,
  },
  {
    module: 'payments',
    when: 'endBlock',
    work: 'forgets nonces of authorisations that have expired',
    bound: `${NONCES_FORGOTTEN_PER_BLOCK_MAX} a block, the rest waits; each was paid for`,
    heldBy: BUDGETS,
  },
  {
    module: 'settlement',
    when: 'endBlock',
    work: 'convicts epochs whose gateways have not answered a request, gives bonds of requests back',
    bound: `${EPOCH_REQUESTS_EXPIRED} requests a block, the rest waits; each was paid for and has a bond`,
    heldBy: BUDGETS,
  },
  {
    module: 'settlement',
    when: 'endBlock',
    work: 'pays epochs whose window is over, row by row',
    bound:
      `none after ${PAID_WORK_MAX} units of work: 8 for an epoch, 1 for a row, whose money goes to a pool in one step; ` +
      'the rest waits; `gas_per_row` was paid for each row',
    heldBy: 'modules/settlement/payout.test.ts',
  },
  {
    module: 'settlement',
    when: 'endBlock',
    work: 'forgets lanes of rounds that were paid',
    bound: `${FORGOTTEN_PER_BLOCK_MAX} lanes and rounds a block, the rest waits; the claims that wrote them paid`,
    heldBy: 'modules/settlement/payout.test.ts',
  },
  {
    module: 'channels',
    when: 'endBlock',
    work: 'forgets ids of closed channels that could not be opened any more',
    bound: `${FORGOTTEN_PER_BLOCK} a block, the rest waits; each was paid for when its channel was closed`,
    heldBy: 'modules/channels/channels.test.ts',
  },
];
