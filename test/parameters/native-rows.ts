/** Parameters of the native modules. */
import { choice, integer, type Patch, type Row, small } from './row.ts';

const COUNT_MAX = 65_536n;
const BPS_WHOLE = 10_000n;
const GAS_MAX = 1_000_000n;
const NO_FLOORS: Patch = { platform_bps_min: 0, stakers_bps_min: 0, contributors_bps_min: 0 };

/** Section `datanet`. */
export const DATANET_ROWS: readonly Row[] = [
  integer(
    'content_bytes_max',
    [1n, 1n << 40n],
    'only the size is on the chain; most: what the verifier can reckon with',
  ),
  small('text_bytes_max', [1n, COUNT_MAX], 'texts are paid by size'),
  small('uris_max', [1n, COUNT_MAX], 'as above'),
  small('allow_list_changes_max', [1n, COUNT_MAX], 'each change is paid for'),
];

/** One part has it all; the other parts and the floors give way. */
function part(name: string): Row {
  const field = `default_split.${name}`;
  const others = ['platform_bps', 'model_bps', 'stakers_bps', 'contributors_bps'].filter(
    (one) => one !== name,
  );
  const without = (sum: number): Patch =>
    Object.fromEntries(others.map((other, i) => [`default_split.${other}`, i === 0 ? sum : 0]));
  return small(field, [0n, BPS_WHOLE], '0: nothing of a fee; 10,000: all of it', {
    leastWith: { ...without(Number(BPS_WHOLE)), ...NO_FLOORS },
    mostWith: { ...without(0), ...NO_FLOORS },
    relation: 'all parts together are 10,000; not below its floor',
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
  const mostWith = { ...split, ...NO_FLOORS, [`default_split.${name}`]: Number(BPS_WHOLE) };
  return small(`${name}_min`, [0n, BPS_WHOLE], '10,000: all of a fee is this part’s', {
    mostWith,
    relation: 'not above the part in `default_split`',
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
  small(
    'lineage_bps_max',
    [0n, BPS_WHOLE],
    '0: ancestors earn nothing; 10,000: they may earn all of a model’s part',
  ),
  small('lineage_entries_max', [1n, 64n], 'a payment walks over so many ancestors'),
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
];

/** Section `payments`. */
export const PAYMENTS_ROWS: readonly Row[] = [
  integer('tokens_max', [1n, 1n << 53n], 'a fee is a price times so many, far below 256 bits'),
];
