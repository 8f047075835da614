import { LedgerError } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import {
  ConsensusParams as ConsensusParamsMessage,
  HashedParams,
} from '../../proto/gen/tendermint/types/params.ts';
import { BLOCK_BYTES_MAX } from './limits.ts';

/** What all nodes agree on about blocks (tendermint.types.ConsensusParams, every part present). */
export interface ConsensusParams {
  readonly block: {
    /** Largest encoded block; -1: `BLOCK_BYTES_MAX`. */
    readonly maxBytes: bigint;
    /** Most gas in a block; -1: no limit. */
    readonly maxGas: bigint;
  };
  readonly evidence: {
    /** Evidence is too old when it is older than both of these. */
    readonly maxAgeNumBlocks: bigint;
    readonly maxAgeDuration: { readonly seconds: bigint; readonly nanos: number };
    /** Most bytes of evidence in a block. */
    readonly maxBytes: bigint;
  };
  readonly validator: {
    /** Key types that validators may have. */
    readonly pubKeyTypes: readonly string[];
  };
  readonly version: { readonly app: bigint };
  readonly abci: {
    /** First height with vote extensions; 0: never. */
    readonly voteExtensionsEnableHeight: bigint;
  };
}

/** CometBFT v0.38's defaults. */
export const DEFAULT_CONSENSUS_PARAMS: ConsensusParams = {
  block: { maxBytes: 22_020_096n, maxGas: -1n },
  evidence: {
    maxAgeNumBlocks: 100_000n,
    maxAgeDuration: { seconds: 172_800n, nanos: 0 },
    maxBytes: 1_048_576n,
  },
  validator: { pubKeyTypes: ['ed25519'] },
  version: { app: 0n },
  abci: { voteExtensionsEnableHeight: 0n },
};

/** Most key types a chain may list. */
const KEY_TYPES_MAX = 8;

/** The header's `consensusHash`: 32 bytes over the block limits alone. */
export function consensusParamsHash(params: ConsensusParams): Uint8Array {
  return sha256(
    HashedParams.encode({ blockMaxBytes: params.block.maxBytes, blockMaxGas: params.block.maxGas }),
  );
}

/** Encodes the parameters. */
export function encodeConsensusParams(params: ConsensusParams): Uint8Array {
  return ConsensusParamsMessage.encode(params);
}

/**
 * The parameters with the parts that an update from the application states replaced, checked.
 * @throws LedgerError `params.invalid`
 */
export function updateConsensusParams(
  params: ConsensusParams,
  update: ConsensusParamsMessage | undefined,
): ConsensusParams {
  if (update === undefined) return params;
  return checkConsensusParams({
    block: update.block ?? params.block,
    evidence: update.evidence ?? params.evidence,
    validator: update.validator ?? params.validator,
    version: update.version ?? params.version,
    abci: update.abci ?? params.abci,
  });
}

/**
 * Checks that each value is within its bounds (CometBFT `ConsensusParams.ValidateBasic`); vote extensions
 * are not taken yet.
 * @throws LedgerError `params.invalid` naming the parameter
 */
export function checkConsensusParams(params: ConsensusParams): ConsensusParams {
  const { block, evidence, validator, abci } = params;
  const blockBytes = block.maxBytes === -1n ? BigInt(BLOCK_BYTES_MAX) : block.maxBytes;
  require(blockBytes > 0n && blockBytes <= BigInt(BLOCK_BYTES_MAX), 'block.max_bytes', block.maxBytes);
  require(block.maxGas >= -1n, 'block.max_gas', block.maxGas);
  require(evidence.maxAgeNumBlocks > 0n, 'evidence.max_age_num_blocks', evidence.maxAgeNumBlocks);
  const { seconds, nanos } = evidence.maxAgeDuration;
  const durationRight = seconds >= 0n && nanos >= 0 && nanos < 1e9 && (seconds > 0n || nanos > 0);
  require(durationRight, 'evidence.max_age_duration', seconds);
  require(evidence.maxBytes >= 0n &&
    evidence.maxBytes <= blockBytes, 'evidence.max_bytes', evidence.maxBytes);
  const types = validator.pubKeyTypes;
  const typesRight =
    types.length > 0 &&
    types.length <= KEY_TYPES_MAX &&
    types.every((type) => type === 'ed25519' || type === 'secp256k1');
  require(typesRight, 'validator.pub_key_types', types.join());
  require(abci.voteExtensionsEnableHeight ===
    0n, 'abci.vote_extensions_enable_height', abci.voteExtensionsEnableHeight);
  return params;
}

function require(holds: boolean, parameter: string, value: unknown): void {
  if (!holds) {
    throw new LedgerError('params.invalid', `consensus parameter ${parameter} is out of bounds`, {
      parameter,
      value,
    });
  }
}
