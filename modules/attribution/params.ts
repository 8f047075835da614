import { isDenom } from '../../framework/coins.ts';
import type { JsonReader } from '../../framework/json.ts';
import { messageFromJson } from '../../framework/proto-json.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import { Params } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { type ClaimLimits, HARD_LIMITS } from './verify.ts';

/** What a chain gets that says nothing. */
export const DEFAULT_PARAMS: Params = {
  spansMax: 64,
  spanBytesMin: 16,
  spanBytesMax: 4096,
  answerBytesMax: 1n << 20n,
  proofBytesMax: 262_144,
  gasPerSpan: 500,
  gasPerHash: 30,
  gasPerByte: 1,
  bondDenom: 'uopen',
  shardBond: 10_000_000n,
  cardBond: 10_000_000n,
  requestBond: 20_000n,
  claimBond: 5_000_000n,
  challengeBlocks: 20_000,
  unbondingBlocks: 100_000,
  requestBlocks: 500,
  claimBlocks: 2_000,
  rewardBps: 5_000,
  answerBps: 1_000,
  shardsMax: 64,
  shardRequestsMax: 64,
  accountRequestsMax: 8,
  evidenceBytesMax: 262_144,
  cardBytesMax: 16_384,
  endpointBytesMax: 256,
  occurrencesMax: 64,
  sharesMax: 256,
  itemsMax: 64,
  gasPerShare: 30_000,
};

/** Names of the bounds of `HARD_BOUNDS`. */
export type HardBounds = Readonly<
  Record<
    | 'shardsMax'
    | 'requestsMax'
    | 'evidenceBytesMax'
    | 'cardBytesMax'
    | 'endpointBytesMax'
    | 'occurrencesMax'
    | 'sharesMax'
    | 'itemsMax',
    number
  >
>;

/** Bounds that hold whatever the parameters say: of what one message or one block may have to walk over. */
export const HARD_BOUNDS: HardBounds = {
  shardsMax: 256,
  requestsMax: 1024,
  evidenceBytesMax: 16_777_216,
  cardBytesMax: 1_048_576,
  endpointBytesMax: 65_536,
  occurrencesMax: 1024,
  sharesMax: 1024,
  itemsMax: 1024,
};

/** Highest price of a unit of work. */
const GAS_MAX = 1_000_000;

/** Highest least bond. */
const BOND_MAX = (1n << 63n) - 1n;

/** Longest window: heights stay far below 2^53. */
const BLOCKS_MAX = 1_000_000_000;

/** A convicted publisher always loses something, also when he convicts himself. */
const REWARD_BPS_MAX = 9_000;

/** Who asks himself loses at least half of the bond, so that nobody fills up the requests about his own object. */
const ANSWER_BPS_MAX = 5_000;

/** Bounds of a claim under these parameters. */
export function limitsOf(params: Params): ClaimLimits {
  const { spansMax, spanBytesMin, spanBytesMax, answerBytesMax, proofBytesMax } = params;
  return { spansMax, spanBytesMin, spanBytesMax, answerBytesMax: Number(answerBytesMax), proofBytesMax };
}

/**
 * What convicts always fits: a count of 4,096 tokens in a shard of 2^28 opens four entries and four runs of
 * 65 leaves of text, 92 kB with their hashes; frauds are at most 8 kB.
 */
const EVIDENCE_BYTES_LEAST = 131_072;

/** A parameter, its value, the most and the least that it may be; 1 is the least of most. */
type Bound = readonly [name: string, value: number | bigint, most: number | bigint, least?: number];

function boundsOf(params: Params): readonly Bound[] {
  return [
    ['spans_max', params.spansMax, HARD_LIMITS.spansMax],
    ['span_bytes_max', params.spanBytesMax, HARD_LIMITS.spanBytesMax],
    ['span_bytes_min', params.spanBytesMin, params.spanBytesMax],
    ['answer_bytes_max', params.answerBytesMax, HARD_LIMITS.answerBytesMax],
    ['proof_bytes_max', params.proofBytesMax, HARD_LIMITS.proofBytesMax],
    ['gas_per_span', params.gasPerSpan, GAS_MAX],
    ['gas_per_hash', params.gasPerHash, GAS_MAX],
    ['gas_per_byte', params.gasPerByte, GAS_MAX],
    ['shard_bond', params.shardBond, BOND_MAX],
    ['card_bond', params.cardBond, BOND_MAX],
    ['request_bond', params.requestBond, BOND_MAX],
    ['claim_bond', params.claimBond, BOND_MAX],
    ['challenge_blocks', params.challengeBlocks, BLOCKS_MAX],
    ['unbonding_blocks', params.unbondingBlocks, BLOCKS_MAX],
    ['request_blocks', params.requestBlocks, BLOCKS_MAX],
    ['claim_blocks', params.claimBlocks, BLOCKS_MAX],
    ['reward_bps', params.rewardBps, REWARD_BPS_MAX],
    ['answer_bps', params.answerBps, ANSWER_BPS_MAX],
    ['shards_max', params.shardsMax, HARD_BOUNDS.shardsMax],
    ['shard_requests_max', params.shardRequestsMax, HARD_BOUNDS.requestsMax],
    ['account_requests_max', params.accountRequestsMax, HARD_BOUNDS.requestsMax],
    ['evidence_bytes_max', params.evidenceBytesMax, HARD_BOUNDS.evidenceBytesMax, EVIDENCE_BYTES_LEAST],
    ['card_bytes_max', params.cardBytesMax, HARD_BOUNDS.cardBytesMax],
    ['endpoint_bytes_max', params.endpointBytesMax, HARD_BOUNDS.endpointBytesMax],
    ['occurrences_max', params.occurrencesMax, HARD_BOUNDS.occurrencesMax],
    ['shares_max', params.sharesMax, HARD_BOUNDS.sharesMax],
    ['items_max', params.itemsMax, HARD_BOUNDS.itemsMax],
    ['gas_per_share', params.gasPerShare, GAS_MAX],
  ];
}

/**
 * Windows between which somebody honest would be cheated: README, "Windows". Each is longer than, or as long as,
 * another.
 */
function problemOfWindows(params: Params): string | undefined {
  const { challengeBlocks, unbondingBlocks, requestBlocks, claimBlocks } = params;
  if (challengeBlocks <= requestBlocks)
    return `challenge_blocks is ${challengeBlocks}, must be more than request_blocks, ${requestBlocks}`;
  if (claimBlocks <= requestBlocks)
    return `claim_blocks is ${claimBlocks}, must be more than request_blocks, ${requestBlocks}`;
  return unbondingBlocks < challengeBlocks
    ? `unbonding_blocks is ${unbondingBlocks}, must be at least challenge_blocks, ${challengeBlocks}`
    : undefined;
}

/** @throws StateError (sdk 18) when a limit exceeds what the verifier bears, or a price is absurd */
export function validateParams(params: Params): void {
  if (!isDenom(params.bondDenom))
    throw new StateError(
      sdkErrors.invalidRequest,
      `attribution parameters: bond_denom '${params.bondDenom.slice(0, 80)}' is no denomination`,
    );
  for (const [name, value, most, least = 1] of boundsOf(params))
    if (value < least || value > most)
      throw new StateError(
        sdkErrors.invalidRequest,
        `attribution parameters: ${name} is ${value}, must be ${least} to ${most}`,
      );
  const windows = problemOfWindows(params);
  if (windows !== undefined)
    throw new StateError(sdkErrors.invalidRequest, `attribution parameters: ${windows}`);
}

/** Parameters from a genesis document; the defaults when it says nothing. */
export function paramsFromJson(json: JsonReader): Params {
  if (!json.present) return DEFAULT_PARAMS;
  const params = messageFromJson(Params, json);
  json.attempt(() => validateParams(params));
  return params;
}
