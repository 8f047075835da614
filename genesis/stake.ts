/** What the staking section of a document means for the rest of it. */
import { type JsonObject, JsonReader } from '../framework/json.ts';
import { durationFromJson } from '../framework/json-fields.ts';
import { DEFAULT_CONSENSUS_PARAMS } from '../modules/consensus/params.ts';
import { DEFAULT_PARAMS } from '../modules/staking/params.ts';
import type { Duration } from '../proto/gen/google/protobuf/duration.ts';
import type { EvidenceParams } from '../proto/gen/tendermint/types/params.ts';
import type { GenesisDocument } from './document.ts';

const NANOS_PER_SECOND = 1_000_000_000n;
const NANOS_PER_MS = 1_000_000n;
const SECONDS_PER_HOUR = 3_600n;

/** Whether the chain's validators are those that have stake, not a fixed set of the document. */
export function stakeMakesValidators({ appState }: Pick<GenesisDocument, 'appState'>): boolean {
  const root = new JsonReader(appState, 'app_state');
  const [staking, genutil] = [root.member('staking'), root.member('genutil')];
  const staked = staking.present ? staking.member('validators').elements() : [];
  const genTxs = genutil.present ? genutil.member('gen_txs').elements() : [];
  return staked.length + genTxs.length > 0;
}

/**
 * How old evidence may be so that nobody takes stake away before it is punished: as old as unbonding takes,
 * in time and in blocks. Source: ASA-2024-004, the Cosmos SDK's advice on `evidence.max_age_*`.
 * @param blockTimeMs least time between two blocks, in milliseconds
 */
export function evidenceAge(
  appState: JsonObject,
  blockTimeMs: number,
): Pick<EvidenceParams, 'maxAgeNumBlocks' | 'maxAgeDuration'> {
  const maxAgeDuration = unbondingTime(appState);
  const blockNanos = BigInt(blockTimeMs) * NANOS_PER_MS;
  const maxAgeNumBlocks = (nanosOf(maxAgeDuration) + blockNanos - 1n) / blockNanos;
  return { maxAgeNumBlocks, maxAgeDuration };
}

/**
 * A sentence when stake is free before evidence about it is too old; undefined when all is well. The number
 * of blocks does not help: how fast a chain makes them is not written anywhere. A chain with a fixed set of
 * validators has no stake to lose.
 */
export function shortEvidenceAge(document: GenesisDocument): string | undefined {
  const { maxAgeDuration } = document.consensusParams.evidence ?? DEFAULT_EVIDENCE;
  const unbonding = unbondingTime(document.appState);
  if (nanosOf(maxAgeDuration) >= nanosOf(unbonding) || !stakeMakesValidators(document)) return undefined;
  return (
    `evidence counts for ${hours(maxAgeDuration)} (consensus_params.evidence.max_age_duration), but ` +
    `stake is free after ${hours(unbonding)} (app_state.staking.params.unbonding_time): who signs ` +
    `twice can take it away unpunished; max_age_duration should be at least ${nanosOf(unbonding)}, ` +
    'by governance where the chain runs already'
  );
}

const DEFAULT_EVIDENCE: Pick<EvidenceParams, 'maxAgeDuration'> = DEFAULT_CONSENSUS_PARAMS.evidence ?? {
  maxAgeDuration: { seconds: 0n, nanos: 0 },
};

function unbondingTime(appState: JsonObject): Duration {
  const staking = new JsonReader(appState, 'app_state').member('staking');
  const params = staking.present ? staking.member('params') : undefined;
  const time = params?.present === true ? params.member('unbonding_time') : undefined;
  return time?.present === true ? durationFromJson(time) : DEFAULT_PARAMS.unbondingTime;
}

function nanosOf({ seconds, nanos }: Duration): bigint {
  return seconds * NANOS_PER_SECOND + BigInt(nanos);
}

function hours({ seconds }: Duration): string {
  return seconds < SECONDS_PER_HOUR ? `${seconds} s` : `${seconds / SECONDS_PER_HOUR} h`;
}
