import { StateError, sdkErrors } from '../../framework/errors.ts';
import type { ConsensusParams } from '../../proto/gen/tendermint/types/params.ts';

/** CometBFT's largest block: 100 MiB. */
export const BLOCK_BYTES_MAX = 104_857_600n;

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

/**
 * Checks parameters as CometBFT's `ConsensusParams.ValidateBasic` does.
 * @throws StateError (sdk 18) with the parameter that is out of bounds
 */
export function validateConsensusParams(params: ConsensusParams): void {
  const problem = problemOf(params);
  if (problem !== undefined) throw new StateError(sdkErrors.invalidRequest, problem);
}

function problemOf({ block, evidence, validator, abci }: ConsensusParams): string | undefined {
  if (block === undefined || evidence === undefined || validator === undefined)
    return 'all parameters must be present';
  if (block.maxBytes === 0n || block.maxBytes < -1n)
    return `block.MaxBytes must be -1 or greater than 0. Got ${block.maxBytes}`;
  if (block.maxBytes > BLOCK_BYTES_MAX)
    return `block.MaxBytes is too big. ${block.maxBytes} > ${BLOCK_BYTES_MAX}`;
  if (block.maxGas < -1n) return `block.MaxGas must be greater or equal to -1. Got ${block.maxGas}`;
  if (evidence.maxAgeNumBlocks <= 0n)
    return `evidence.MaxAgeNumBlocks must be greater than 0. Got ${evidence.maxAgeNumBlocks}`;
  if (
    evidence.maxAgeDuration.seconds < 0n ||
    (evidence.maxAgeDuration.seconds === 0n && evidence.maxAgeDuration.nanos <= 0)
  )
    return 'evidence.MaxAgeDuration must be greater than 0';
  const blockBytes = block.maxBytes === -1n ? BLOCK_BYTES_MAX : block.maxBytes;
  if (evidence.maxBytes < 0n || evidence.maxBytes > blockBytes)
    return `evidence.MaxBytesEvidence is greater than upper bound, ${evidence.maxBytes} > ${blockBytes}`;
  if (validator.pubKeyTypes.length === 0) return 'len(Validator.PubKeyTypes) must be greater than 0';
  for (const type of validator.pubKeyTypes)
    if (type !== 'ed25519') return `params.Validator.PubKeyTypes: ${type} is an unknown pubkey type`;
  if (abci !== undefined && abci.voteExtensionsEnableHeight < 0n)
    return `ABCI.VoteExtensionsEnableHeight cannot be negative. Got: ${abci.voteExtensionsEnableHeight}`;
  return undefined;
}
