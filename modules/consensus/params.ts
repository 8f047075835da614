import { StateError, sdkErrors } from '../../framework/errors.ts';
import type { ConsensusParams } from '../../proto/gen/tendermint/types/params.ts';
import { type ConsensusKey, isConsensusKeyType } from './keys.ts';

/** Largest block: 21 MiB, what one answer of block sync carries. The engine has the same bound. */
export const BLOCK_BYTES_MAX = 22_020_096n;

/** CometBFT v0.38's defaults, with blocks of at most 4 MiB. */
export const DEFAULT_CONSENSUS_PARAMS: ConsensusParams = {
  block: { maxBytes: 4_194_304n, maxGas: -1n },
  evidence: {
    maxAgeNumBlocks: 100_000n,
    maxAgeDuration: { seconds: 172_800n, nanos: 0 },
    maxBytes: 1_048_576n,
  },
  validator: { pubKeyTypes: ['ed25519'] },
  version: { app: 0n },
  abci: { voteExtensionsEnableHeight: 0n },
};

const INT64_MAX = (1n << 63n) - 1n;
const UINT64_MAX = (1n << 64n) - 1n;
const NANOS_PER_SECOND = 1_000_000_000n;
/** Bytes of a block around its transactions: frame, header, frame of the commit (CometBFT `MaxDataBytes`). */
const BLOCK_FRAME_BYTES = 11n + 626n + 94n;
const COMMIT_ENTRY_BYTES = 111n;

/**
 * Checks parameters as CometBFT's `ConsensusParams.ValidateBasic` does, and what would stop this chain
 * although CometBFT takes it: a value beyond 64 bits, a block too small for its own commit, vote extensions
 * (not there yet). The engine stops at values that it refuses, so nothing may pass here that does not pass
 * there.
 * @param validators so many sign each commit
 * @throws StateError (sdk 18) with the parameter that is out of bounds, and the bounds
 */
export function validateConsensusParams(params: ConsensusParams, validators = 1): void {
  const problem = problemOf(params) ?? sizeProblem(params, validators);
  if (problem !== undefined) throw new StateError(sdkErrors.invalidRequest, problem);
}

/**
 * Checks that every validator has a key of a kind that the parameters allow: the engine takes no update of
 * the power of another.
 * @throws StateError (sdk 18) with the kind that is missing
 */
export function requireKeyTypes(params: ConsensusParams, keys: readonly Pick<ConsensusKey, 'type'>[]): void {
  const allowed = params.validator?.pubKeyTypes ?? [];
  const other = keys.find(({ type }) => !allowed.includes(type));
  if (other === undefined) return;
  const problem = `Validator.PubKeyTypes must name ${other.type}: there are validators with such keys`;
  throw new StateError(sdkErrors.invalidRequest, problem);
}

function problemOf(params: ConsensusParams): string | undefined {
  const { block, evidence, validator, version, abci } = params;
  if (block === undefined || evidence === undefined || validator === undefined)
    return 'all parameters must be present';
  if (block.maxGas < -1n || block.maxGas > INT64_MAX)
    return `block.MaxGas must be -1 (no limit) or from 0 to ${INT64_MAX}. Got ${block.maxGas}`;
  if (evidence.maxAgeNumBlocks <= 0n || evidence.maxAgeNumBlocks > INT64_MAX)
    return `evidence.MaxAgeNumBlocks must be from 1 to ${INT64_MAX}. Got ${evidence.maxAgeNumBlocks}`;
  const { seconds, nanos } = evidence.maxAgeDuration;
  const age = seconds * NANOS_PER_SECOND + BigInt(nanos);
  if (seconds < 0n || nanos < 0 || nanos >= Number(NANOS_PER_SECOND) || age <= 0n || age > INT64_MAX)
    return `evidence.MaxAgeDuration must be from 1 to ${INT64_MAX} ns. Got ${seconds} s and ${nanos} ns`;
  if (validator.pubKeyTypes.length === 0) return 'len(Validator.PubKeyTypes) must be greater than 0';
  for (const [i, type] of validator.pubKeyTypes.entries()) {
    if (!isConsensusKeyType(type))
      return `params.Validator.PubKeyTypes[${i}], ${type}, is an unknown pubkey type`;
    if (validator.pubKeyTypes.indexOf(type) < i) return `Validator.PubKeyTypes names ${type} twice`;
  }
  if (version !== undefined && (version.app < 0n || version.app > UINT64_MAX))
    return `version.App must be from 0 to ${UINT64_MAX}. Got ${version.app}`;
  if (abci !== undefined && abci.voteExtensionsEnableHeight !== 0n)
    return `ABCI.VoteExtensionsEnableHeight must be 0: there are no vote extensions. Got: ${abci.voteExtensionsEnableHeight}`;
  return undefined;
}

function sizeProblem({ block, evidence }: ConsensusParams, validators: number): string | undefined {
  const maxBytes = block?.maxBytes ?? 0n;
  if (maxBytes === 0n || maxBytes < -1n)
    return `block.MaxBytes must be -1 or greater than 0. Got ${maxBytes}`;
  if (maxBytes > BLOCK_BYTES_MAX)
    return `block.MaxBytes must be at most ${BLOCK_BYTES_MAX}, what other nodes can fetch. Got ${maxBytes}`;
  const least = BLOCK_FRAME_BYTES + COMMIT_ENTRY_BYTES * BigInt(validators);
  if (maxBytes !== -1n && maxBytes <= least)
    return `block.MaxBytes must be greater than ${least}, the size of an empty block. Got ${maxBytes}`;
  // A proposer puts in all evidence up to its limit: a block that is full of it must still fit.
  const room = (maxBytes === -1n ? BLOCK_BYTES_MAX : maxBytes) - least;
  const evidenceBytes = evidence?.maxBytes ?? 0n;
  if (evidenceBytes < 0n || evidenceBytes > room)
    return `evidence.MaxBytes must be from 0 to ${room}, what block.MaxBytes leaves. Got ${evidenceBytes}`;
  return undefined;
}
