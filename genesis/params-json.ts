import type { JsonObject, JsonReader } from '../framework/json.ts';
import { DEFAULT_CONSENSUS_PARAMS } from '../modules/consensus/params.ts';
import type { Duration } from '../proto/gen/google/protobuf/duration.ts';
import type { ConsensusParams, EvidenceParams } from '../proto/gen/tendermint/types/params.ts';

const NANOS = 1_000_000_000n;

/** Consensus parameters as CometBFT's JSON has them: 64-bit numbers as text, durations in nanoseconds. */
export function consensusParamsToJson(params: ConsensusParams): JsonObject {
  const { block, evidence, validator, version, abci } = { ...DEFAULT_CONSENSUS_PARAMS, ...params };
  return {
    block: { max_bytes: String(block?.maxBytes ?? 0n), max_gas: String(block?.maxGas ?? 0n) },
    evidence: evidence === undefined ? null : evidenceToJson(evidence),
    validator: { pub_key_types: validator?.pubKeyTypes ?? [] },
    version: { app: String(version?.app ?? 0n) },
    abci: { vote_extensions_enable_height: String(abci?.voteExtensionsEnableHeight ?? 0n) },
  };
}

/** Consensus parameters from JSON; what is missing has CometBFT's default. */
export function consensusParamsFromJson(json: JsonReader): ConsensusParams {
  if (!json.present) return DEFAULT_CONSENSUS_PARAMS;
  json.onlyMembers('block', 'evidence', 'validator', 'version', 'abci');
  const block = json.member('block');
  const evidence = json.member('evidence');
  const validator = json.member('validator');
  const version = json.member('version');
  const abci = json.member('abci');
  return {
    block: block.present
      ? { maxBytes: block.member('max_bytes').integer(), maxGas: block.member('max_gas').integer() }
      : DEFAULT_CONSENSUS_PARAMS.block,
    evidence: evidence.present ? evidenceFromJson(evidence) : DEFAULT_CONSENSUS_PARAMS.evidence,
    validator: validator.present
      ? {
          pubKeyTypes: validator
            .member('pub_key_types')
            .elements()
            .map((type) => type.text()),
        }
      : DEFAULT_CONSENSUS_PARAMS.validator,
    version: { app: optionalInteger(version, 'app') },
    abci: { voteExtensionsEnableHeight: optionalInteger(abci, 'vote_extensions_enable_height') },
  };
}

function evidenceToJson(evidence: EvidenceParams): JsonObject {
  const { seconds, nanos } = evidence.maxAgeDuration;
  return {
    max_age_num_blocks: String(evidence.maxAgeNumBlocks),
    max_age_duration: String(seconds * NANOS + BigInt(nanos)),
    max_bytes: String(evidence.maxBytes),
  };
}

function evidenceFromJson(json: JsonReader): EvidenceParams {
  return {
    maxAgeNumBlocks: json.member('max_age_num_blocks').integer(),
    maxAgeDuration: durationOf(json.member('max_age_duration').integer()),
    maxBytes: json.member('max_bytes').integer(),
  };
}

function durationOf(nanos: bigint): Duration {
  return { seconds: nanos / NANOS, nanos: Number(nanos % NANOS) };
}

function optionalInteger(json: JsonReader, member: string): bigint {
  if (!json.present) return 0n;
  const value = json.member(member);
  return value.present ? value.integer() : 0n;
}
