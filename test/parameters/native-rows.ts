/** Parameters of the native modules. */
import { choice, integer, type Patch, type Row, small } from './row.ts';

const COUNT_MAX = 65_536n;
const BPS_WHOLE = 10_000n;
const GAS_MAX = 1_000_000n;
const BOND_MAX = (1n << 63n) - 1n;
const SECONDS_MAX = 315_360_000n;
const BLOCKS_MAX = 1_000_000_000n;
const BLOCKS = Number(BLOCKS_MAX);
const PARTS = ['platform_bps', 'model_bps', 'stakers_bps', 'contributors_bps'];
const NO_BOUNDS: Patch = Object.fromEntries(
  PARTS.flatMap((name) => [
    [`${name}_min`, 0],
    [`${name}_max`, 0],
  ]),
);

/** Section `datanet`. */
export const DATANET_ROWS: readonly Row[] = [
  integer(
    'content_bytes_max',
    [1n, (1n << 28n) - 1n],
    'only the size is on the chain; most: what fits one shard of an index, each byte a token',
  ),
  small('text_bytes_max', [1n, COUNT_MAX], 'texts are paid by size'),
  small('uris_max', [1n, COUNT_MAX], 'as above'),
  small('allow_list_changes_max', [1n, COUNT_MAX], 'each change is paid for'),
];

/** One part has it all; the other parts and the bounds give way. */
function part(name: string): Row {
  const field = `default_split.${name}`;
  const others = PARTS.filter((one) => one !== name);
  const without = (sum: number): Patch =>
    Object.fromEntries(others.map((other, i) => [`default_split.${other}`, i === 0 ? sum : 0]));
  return small(field, [0n, BPS_WHOLE], '0: nothing of a fee; 10,000: all of it', {
    leastWith: { ...without(Number(BPS_WHOLE)), ...NO_BOUNDS },
    mostWith: { ...without(0), ...NO_BOUNDS },
    relation: 'all parts together are 10,000; within its bounds',
  });
}

/** A floor, which the default split must not be below. */
function floor(name: string): Row {
  const split: Patch = {
    'default_split.platform_bps': 0,
    'default_split.model_bps': 0,
    'default_split.stakers_bps': 0,
    'default_split.contributors_bps': 0,
  };
  const mostWith = { ...split, ...NO_BOUNDS, [`default_split.${name}`]: Number(BPS_WHOLE) };
  return small(`${name}_min`, [0n, BPS_WHOLE], '10,000: all of a fee is this part’s', {
    mostWith,
    relation: 'not above the part in `default_split`',
  });
}

/** A ceiling, which the default split must not be above. */
function ceiling(name: string): Row {
  return small(`${name}_max`, [0n, BPS_WHOLE], '0: none, as 10,000', {
    mostWith: NO_BOUNDS,
    relation: '0, or not below the part in `default_split`',
  });
}

/** Section `models`. */
export const MODELS_ROWS: readonly Row[] = [
  part('platform_bps'),
  part('model_bps'),
  part('stakers_bps'),
  part('contributors_bps'),
  choice(
    'default_split.residual',
    { good: ['PARTY_PLATFORM', 'PARTY_CONTRIBUTORS'], bad: [0, 5, -1], says: 'one of the four parties' },
    'gets what rounding leaves',
  ),
  floor('platform_bps'),
  floor('stakers_bps'),
  floor('contributors_bps'),
  floor('model_bps'),
  ceiling('platform_bps'),
  ceiling('model_bps'),
  ceiling('stakers_bps'),
  ceiling('contributors_bps'),
  small(
    'lineage_bps_max',
    [0n, BPS_WHOLE],
    '0: ancestors earn nothing; 10,000: they may earn all of a model’s part',
  ),
  small('lineage_entries_max', [1n, 64n], 'a registration writes so many slots'),
  small('snapshots_max', [1n, 256n], 'a model names so many'),
  small('text_bytes_max', [1n, COUNT_MAX], 'texts are paid by size'),
];

/** Section `attribution`. */
export const ATTRIBUTION_ROWS: readonly Row[] = [
  small('spans_max', [1n, 1024n], 'work of a claim, paid by `gas_per_span`'),
  small('span_bytes_min', [1n, 1n << 20n], 'most: only one length of quotation', {
    mostWith: { span_bytes_max: 1 << 20 },
    relation: 'not above `span_bytes_max`',
  }),
  small('span_bytes_max', [1n, 1n << 20n], 'as above', {
    leastWith: { span_bytes_min: 1 },
    relation: 'not below `span_bytes_min`',
  }),
  integer('answer_bytes_max', [1n, 1n << 30n], 'only its hash and length are on the chain'),
  small('proof_bytes_max', [1n, 1n << 24n], 'a transaction has to fit into a block besides'),
  small('gas_per_span', [1n, GAS_MAX], 'most: claims cost more than a block has'),
  small('gas_per_hash', [1n, GAS_MAX], 'as above'),
  small('gas_per_byte', [1n, GAS_MAX], 'as above'),
  choice(
    'bond_denom',
    { good: ['uopen', 'ibc/ABC'], bad: ['', '1', 'a b'], says: 'a denomination' },
    'one that nobody has: nothing can be published',
  ),
  integer('shard_bond', [1n, BOND_MAX], 'most: more than there is, so nothing can be published'),
  integer('card_bond', [1n, BOND_MAX], 'as above'),
  integer('request_bond', [1n, BOND_MAX], '1: requests are as cheap as their gas; most: nobody can ask'),
  integer('claim_bond', [1n, BOND_MAX], '1: lies are cheap; most: only claims with proofs'),
  small('challenge_blocks', [2n, BLOCKS_MAX], 'least: claims rest on it soon; most: never', {
    leastWith: { request_blocks: 1 },
    mostWith: { unbonding_blocks: BLOCKS },
    relation: 'more than `request_blocks`, not more than `unbonding_blocks`',
  }),
  small(
    'unbonding_blocks',
    [2n, BLOCKS_MAX],
    'least: convictions have two blocks; most: bonds never come back',
    {
      leastWith: { request_blocks: 1, challenge_blocks: 2 },
      relation: 'not less than `challenge_blocks`',
    },
  ),
  small('request_blocks', [1n, BLOCKS_MAX - 1n], '1: nobody can answer in time; most: nobody has to', {
    mostWith: { challenge_blocks: BLOCKS, unbonding_blocks: BLOCKS, claim_blocks: BLOCKS },
    relation: 'less than `challenge_blocks` and `claim_blocks`',
  }),
  small(
    'claim_blocks',
    [2n, BLOCKS_MAX],
    'least: nobody can dispute in time; most: contributors wait for ever',
    {
      leastWith: { request_blocks: 1 },
      relation: 'more than `request_blocks`',
    },
  ),
  small('reward_bps', [1n, 9000n], 'most: whoever convicts himself loses a tenth'),
  small('answer_bps', [1n, 5000n], 'most: who asks himself loses half of the bond'),
  small('shards_max', [1n, 256n], 'a claim or the end of an index walks over so many'),
  small('shard_requests_max', [1n, 1024n], 'each has a bond; the rest of them expires in portions'),
  small('account_requests_max', [1n, 1024n], 'as above'),
  small('evidence_bytes_max', [1n << 17n, 1n << 24n], 'least: what convicts still fits; paid by size'),
  small('card_bytes_max', [1n, 1n << 20n], 'kept in state, paid by size'),
  small('endpoint_bytes_max', [1n, COUNT_MAX], 'as above'),
  small('occurrences_max', [1n, 1024n], 'a claim walks over so many for each span'),
  small('shares_max', [1n, 1024n], 'a claim pays so many in an end-block hook'),
  small('items_max', [1n, 1024n], 'a claim walks over so many'),
  small('gas_per_share', [1n, GAS_MAX], '1: payouts of an end-block hook cost nearly nothing'),
];

/** Section `channels`. */
export const CHANNELS_ROWS: readonly Row[] = [
  small('withdraw_delay_min', [60n, 2_592_000n], 'least: a receiver has a minute to claim a last time', {
    mostWith: { withdraw_delay_max: 2_592_000 },
    relation: 'not above `withdraw_delay_max`',
  }),
  small('withdraw_delay_max', [60n, 31_536_000n], 'most: payers may bind themselves for a year', {
    leastWith: { withdraw_delay_min: 60 },
    relation: 'not below `withdraw_delay_min`',
  }),
  small('withdraw_blocks', [1n, 1_000_000n], '1: only time counts; most: nobody withdraws for weeks'),
  small('open_window', [60n, 604_800n], 'as long as the id of a closed channel is remembered'),
  small('rows_max', [1n, 16_384n], 'rows are paid for one by one'),
  small('gas_per_link', [1n, 1_000_000n], 'most: claims by links cost more than a block has'),
];

/** Section `payments`. */
export const PAYMENTS_ROWS: readonly Row[] = [
  integer('tokens_max', [1n, 1n << 53n], 'a fee is a price times so many, far below 256 bits'),
  integer(
    'authorization_seconds_max',
    [1n, SECONDS_MAX],
    '1: authorisations have to meet a block; most: a spent nonce is kept so long, twice that when it is cancelled',
  ),
  integer(
    'hold_seconds_max',
    [1n, SECONDS_MAX],
    '1: nobody can capture in time; most: money may wait so long',
  ),
];

/** Section `pools`. */
export const POOLS_ROWS: readonly Row[] = [
  small(
    'epoch_blocks',
    [1n, 1_000_000n],
    '1: weights count from the end of their block on; most: two months of blocks of 5 s later',
  ),
  small('slots_max', [1n, 1024n], 'a claim reads so many paths, paid by reads'),
  small(
    'gas_per_row',
    [1n, GAS_MAX],
    '1: work at the end of blocks costs nearly nothing; most: nobody can contribute',
  ),
  small('auto_claim_blocks_min', [1n, BLOCKS_MAX], '1: a claim in each block, each paid for'),
  small('auto_claim_times_max', [1n, 1_000_000n], 'each is paid for when it is ordered'),
  small('credit_blocks', [1n, BLOCKS_MAX], '1: claims cannot be explained; most: all credits are kept'),
];

/** Section `settlement`. */
export const SETTLEMENT_ROWS: readonly Row[] = [
  choice(
    'bond_denom',
    { good: ['uopen', 'ibc/ABC'], bad: ['', '1', 'a b'], says: 'a denomination' },
    'one that nobody has: nothing can be settled',
  ),
  integer('epoch_bond', [1n, BOND_MAX], '1: lies are cheap; most: nothing can be settled'),
  small('window_blocks', [1n, BLOCKS_MAX], '1: nobody can dispute in time; most: nobody is ever paid'),
  small('reward_bps', [1n, 9000n], 'most: whoever convicts himself loses a tenth'),
  small('rows_max', [1n, 1024n], 'an epoch keeps so many in state; they are paid in portions'),
  small('gas_per_row', [1n, GAS_MAX], '1: payouts of an end-block hook cost nearly nothing'),
  small('gas_per_hash', [1n, GAS_MAX], 'most: nobody can dispute'),
  small('gas_per_byte', [1n, GAS_MAX], 'as above'),
  small('endpoint_bytes_max', [1n, COUNT_MAX], 'kept in state, paid by size'),
  integer('request_bond', [1n, BOND_MAX], '1: requests are as cheap as their gas; most: nobody can ask'),
  small('request_blocks', [1n, BLOCKS_MAX], '1: nobody can answer in time; most: nobody has to'),
  small('answer_bps', [1n, 5000n], 'most: whoever asks himself loses half of the bond'),
  small('epoch_requests_max', [1n, 1024n], 'each further one costs as much more'),
  small('account_requests_max', [1n, 1024n], 'most: bonds are what bounds one account'),
];
