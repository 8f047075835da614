/** Parameters of the modules that move coins and of the chain as a whole. */
import { PARAM_MAX as AUTH_MAX } from '../../modules/auth/params.ts';
import { choice, decimal, duration, integer, type Row, small } from './row.ts';

const ONE = 10n ** 18n;
const INT64_MAX = (1n << 63n) - 1n;
/** Just below 9,223,372,036 s, the whole seconds that Go's durations have. */
const DURATION_MAX = 9_223_372_036n * 10n ** 9n - 1n;
const HUGE_COIN = { denom: 'uopen', amount: (2n ** 256n - 1n).toString() };
const BAD_COINS = [
  [],
  [{ denom: 'uopen', amount: '0' }],
  [{ denom: 'uopen', amount: '-1' }],
  [{ denom: 'uopen', amount: 'NaN' }],
  [{ denom: 'uopen', amount: (2n ** 256n).toString() }],
  [{ denom: '1', amount: '1' }],
  [
    { denom: 'uopen', amount: '1' },
    { denom: 'uopen', amount: '2' },
  ],
];
const SWITCH = { good: [true, false], bad: [1, 'yes'], says: 'true or false' };
const DENOM_BAD = ['', ' ', '1', 'a'.repeat(129)];
const DENOM_SAYS = 'a denomination';

/** Section `auth`. */
export const AUTH_ROWS: readonly Row[] = [
  integer(
    'max_memo_characters',
    [1n, AUTH_MAX.maxMemoCharacters],
    '1: hardly any memo; most: blocks of memos, paid by size',
  ),
  integer('tx_sig_limit', [1n, AUTH_MAX.txSigLimit], '1: one key a transaction; most: each one is paid for'),
  integer(
    'tx_size_cost_per_byte',
    [1n, AUTH_MAX.txSizeCostPerByte],
    'most: no transaction fits into the gas of a block; gas stays below 2^53',
  ),
  integer('sig_verify_cost_ed25519', [1n, AUTH_MAX.sigVerifyCostEd25519], 'most: as above'),
  integer('sig_verify_cost_secp256k1', [1n, AUTH_MAX.sigVerifyCostSecp256k1], 'most: as above'),
];

/** Section `bank`. */
export const BANK_ROWS: readonly Row[] = [
  choice(
    'send_enabled',
    { good: [[]], bad: [[{ denom: 'uopen', enabled: true }]], says: 'empty: MsgSetSendEnabled has it' },
    'none',
  ),
  choice('default_send_enabled', SWITCH, 'false: no transfers by users; hooks and refunds go on'),
];

/** Section `staking`. */
export const STAKING_ROWS: readonly Row[] = [
  duration(
    'unbonding_time',
    [1n, DURATION_MAX],
    'least: what is unbonded is paid in the same block; most: in 292 years',
  ),
  small(
    'max_validators',
    [1n, 10_000n],
    '1: the strongest stays; most: what a commit of CometBFT holds. The set, its history and each reward loop are that long',
    { genesisLeast: 3n, relation: 'in genesis not less than bonded validators, here three' },
  ),
  small('max_entries', [1n, 1000n], 'most: a slash walks over so many entries of a pair'),
  small(
    'historical_entries',
    [0n, 100_000n],
    '0: no history; most: so many sets in state; lowered, 100 a block are removed',
  ),
  choice(
    'bond_denom',
    { good: ['uopen'], bad: DENOM_BAD, says: `${DENOM_SAYS}; does not change while tokens are staked` },
    'another one by message: refused while there is stake',
  ),
  decimal('min_commission_rate', [0n, ONE], '1: validators that are made or edited keep all rewards'),
];

/** Section `slashing`. */
export const SLASHING_ROWS: readonly Row[] = [
  integer(
    'signed_blocks_window',
    [1n, 1_000_000n],
    'most: a bitmap has 977 pieces, which a jailing removes',
    { genesisLeast: 10n, relation: 'in a new genesis at least 10, as in the SDK' },
  ),
  decimal('min_signed_per_window', [0n, ONE], '0: nobody is ever down; 1: one missed block jails'),
  duration('downtime_jail_duration', [1n, DURATION_MAX], 'most: the end of the year 9999 at the latest', {
    genesisLeast: 60n * 10n ** 9n,
    relation: 'in a new genesis at least 60 s, as in the SDK',
  }),
  decimal(
    'slash_fraction_double_sign',
    [0n, ONE],
    '1: burns all stake; shares without a rate can be removed',
  ),
  decimal('slash_fraction_downtime', [0n, ONE], '1: as above'),
];

/** Section `distribution`. */
export const DISTRIBUTION_ROWS: readonly Row[] = [
  decimal('community_tax', [0n, ONE], '1: nothing is left for validators'),
  decimal('base_proposer_reward', [0n, ONE], 'nothing reads it', {
    messageMost: 0n,
    relation: 'by message only 0',
  }),
  decimal('bonus_proposer_reward', [0n, ONE], 'nothing reads it', {
    messageMost: 0n,
    relation: 'by message only 0',
  }),
  choice('withdraw_addr_enabled', SWITCH, 'false: rewards go to the delegators themselves'),
];

/** Section `mint`. */
export const MINT_ROWS: readonly Row[] = [
  choice(
    'mint_denom',
    { good: ['uopen', 'uother'], bad: DENOM_BAD, says: DENOM_SAYS },
    'another than the staked one: coins of it are made, by the supply of the staked one',
  ),
  decimal(
    'inflation_rate_change',
    [0n, ONE],
    'most, with one block a year: inflation jumps between its bounds',
  ),
  decimal('inflation_max', [0n, ONE], '1 with one block a year: the supply doubles each block, up to 2^128', {
    leastWith: { inflation_min: '0.000000000000000000' },
    relation: 'not below `inflation_min`',
  }),
  decimal('inflation_min', [0n, ONE], '1: as above', {
    mostWith: { inflation_max: '1.000000000000000000' },
    relation: 'not above `inflation_max`',
  }),
  decimal('goal_bonded', [1n, ONE], 'least: inflation falls to its least at once; it divides, so never 0'),
  integer('blocks_per_year', [1n, INT64_MAX], '1: a block makes a year’s coins; most: none'),
];

/** Section `gov`. */
export const GOV_ROWS: readonly Row[] = [
  choice(
    'min_deposit',
    {
      good: [[{ denom: 'uopen', amount: '1' }]],
      bad: [...BAD_COINS, [HUGE_COIN]],
      says: 'coins, positive, sorted; below `expedited_min_deposit`',
    },
    'least: votes cost gas only, ten are counted in a block',
  ),
  choice(
    'expedited_min_deposit',
    { good: [[HUGE_COIN]], bad: BAD_COINS, says: 'coins, positive, sorted; above `min_deposit`' },
    'most: nothing is expedited',
  ),
  duration('max_deposit_period', [1n, DURATION_MAX], 'least: what has no deposit ends with its block'),
  duration('voting_period', [2n, DURATION_MAX], 'least: only who votes in the same block is counted', {
    leastWith: { expedited_voting_period: '0.000000001s' },
    relation: 'above `expedited_voting_period`',
  }),
  duration('expedited_voting_period', [1n, DURATION_MAX - 1n], 'as above', {
    mostWith: { voting_period: '9223372035.999999999s' },
    relation: 'below `voting_period`',
  }),
  decimal('quorum', [0n, ONE], '0: a single vote is enough; without stake behind votes a proposal fails'),
  decimal('threshold', [1n, ONE - 1n], 'most: nobody may vote no', {
    mostWith: { expedited_threshold: '1.000000000000000000' },
    relation: 'below `expedited_threshold`',
  }),
  decimal('expedited_threshold', [2n, ONE], '1: never passes as expedited', {
    leastWith: { threshold: '0.000000000000000001' },
    relation: 'above `threshold`',
  }),
  decimal('veto_threshold', [1n, ONE], 'least: any veto rejects; 1: none does'),
  decimal('min_initial_deposit_ratio', [0n, ONE], '1: the proposer pays the whole deposit'),
  decimal('proposal_cancel_ratio', [0n, ONE], '1: who cancels loses the deposits'),
  choice(
    'proposal_cancel_dest',
    { good: ['', 'AUTHORITY'], bad: ['x', 'cosmos1qqq'], says: 'empty (burned), or an address' },
    'an account that must not be sent to: cancelling is refused',
  ),
  choice('burn_vote_quorum', SWITCH, 'true: deposits burn without a quorum'),
  choice('burn_proposal_deposit_prevote', SWITCH, 'true: deposits of what is never voted on burn'),
  choice('burn_vote_veto', SWITCH, 'true: deposits burn with a veto'),
  decimal('min_deposit_ratio', [0n, ONE], '0: deposits of any size, each paid for; 1: whole ones only'),
];

/** What a commit of the tests' three validators takes. */
const COMMIT_BYTES = 3n * 111n;

/** The parameters of consensus, with the bounds that three validators make. */
export const CONSENSUS_ROWS: readonly Row[] = [
  integer(
    'block.max_bytes',
    [732n + COMMIT_BYTES, 22_020_096n],
    'least: empty blocks only. -1: as the most',
    {
      leastWith: { 'evidence.max_bytes': '0' },
      relation: 'or -1; for three validators: 111 bytes more for each further one; room for the evidence',
    },
  ),
  integer(
    'block.max_gas',
    [-1n, INT64_MAX],
    '-1: no limit; 0: no transaction fits; proposals that were voted on still end',
  ),
  integer('evidence.max_age_num_blocks', [1n, INT64_MAX], 'least: hardly any offence is punished'),
  duration('evidence.max_age_duration', [1n, INT64_MAX], 'most: 292 years; evidence stays valid'),
  integer('evidence.max_bytes', [0n, 22_020_096n - 731n - COMMIT_BYTES], '0: no evidence in blocks', {
    mostWith: { 'block.max_bytes': '22020096' },
    relation: 'at most what `block.max_bytes` leaves, here of its most',
  }),
  choice(
    'validator.pub_key_types',
    {
      good: [['ed25519'], ['ed25519', 'secp256k1']],
      bad: [[], ['sr25519'], ['ed25519', 'ed25519'], ['']],
      says: 'ed25519, secp256k1, no other, none twice; those that validators have',
    },
    'a kind less: candidates with it are passed over',
  ),
  choice('version.app', { good: ['0'], bad: [], says: 'genesis only; upgrades count it up' }, 'none'),
  choice(
    'abci.vote_extensions_enable_height',
    { good: ['0'], bad: ['1', '-1'], says: '0: there are no vote extensions' },
    'none',
  ),
];
