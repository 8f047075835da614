import { compareBytes, concatBytes, equalBytes, toHex } from '../../core/bytes.ts';
import { DecodeError, LedgerError } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import { encodeZigzag } from '../../core/varint.ts';
import type { LightClientAttackEvidence as LightClientAttackMessage } from '../../proto/gen/tendermint/types/evidence.ts';
import { type Header, headerHash } from './header.ts';
import {
  type LightBlock,
  lightBlockFromMessage,
  lightBlockToMessage,
  type SignedHeader,
} from './light-block.ts';
import { VALIDATORS_MAX } from './limits.ts';
import type { VerifySignature } from './public-key.ts';
import { checkTime, compareTime, type Time } from './time.ts';
import type { Validator, ValidatorSet } from './validator.ts';
import { validatorFromMessage, validatorToMessage } from './validator-set.ts';
import { LIGHT_TRUST_LEVEL, verifyCommitLight, verifyCommitLightTrusting } from './verify-commit.ts';

/**
 * A header that enough validators have signed and that is not on the chain: shown to a light client to
 * deceive it. Lunatic: the header follows from no state of the chain. Equivocation: both headers were
 * signed in one round. Amnesia: in different rounds; then nobody can be named.
 */
export interface LightClientAttackEvidence {
  readonly kind: 'lightClientAttack';
  readonly conflictingBlock: LightBlock;
  /**
   * The last height at which light client and chain agreed; for a lunatic attack below the conflicting one.
   */
  readonly commonHeight: bigint;
  /** Who is to blame, by falling power. */
  readonly byzantineValidators: readonly Validator[];
  /** Total power at the common height. */
  readonly totalVotingPower: bigint;
  /** Time of the block at the common height. */
  readonly timestamp: Time;
}

/** The evidence as tendermint.types.LightClientAttackEvidence. */
export function lightClientAttackToMessage(evidence: LightClientAttackEvidence): LightClientAttackMessage {
  return {
    conflictingBlock: lightBlockToMessage(evidence.conflictingBlock),
    commonHeight: evidence.commonHeight,
    byzantineValidators: evidence.byzantineValidators.map(validatorToMessage),
    totalVotingPower: evidence.totalVotingPower,
    timestamp: evidence.timestamp,
  };
}

/** @throws DecodeError when the block is none, or heights, powers or the list of validators cannot be */
export function lightClientAttackFromMessage(message: LightClientAttackMessage): LightClientAttackEvidence {
  const { conflictingBlock: block, commonHeight, byzantineValidators, totalVotingPower, timestamp } = message;
  if (block === undefined) throw new DecodeError('evidence: conflicting block is missing');
  if (byzantineValidators.length > VALIDATORS_MAX) throw new DecodeError('evidence: too many validators');
  if (totalVotingPower <= 0n) throw new DecodeError('evidence: total voting power must be positive');
  const conflictingBlock = lightBlockFromMessage(block);
  if (commonHeight <= 0n || commonHeight > conflictingBlock.header.height) {
    throw new DecodeError('evidence: the common height is not one up to the conflicting block', {
      commonHeight,
    });
  }
  return {
    kind: 'lightClientAttack',
    conflictingBlock,
    commonHeight,
    byzantineValidators: byzantineValidators.map(validatorFromMessage),
    totalVotingPower,
    timestamp: checkTime(timestamp, 'evidence'),
  };
}

/**
 * The id of the attack: 32 bytes over conflicting header and common height, so that the same attack with
 * other signatures is the same. The last byte of the header's hash is not in it: so it is in CometBFT v0.38
 * (`LightClientAttackEvidence.Hash`), and the id is what nodes agree on.
 */
export function lightClientAttackHash(evidence: LightClientAttackEvidence): Uint8Array {
  const header = headerHash(evidence.conflictingBlock.header);
  return sha256(
    concatBytes(header.subarray(0, header.length - 1), Uint8Array.of(0), encodeZigzag(evidence.commonHeight)),
  );
}

/** True when a header could not follow from the state that the trusted one of its height follows from. */
export function isLunatic(conflicting: Header, trusted: Header): boolean {
  return !(
    equalBytes(trusted.validatorsHash, conflicting.validatorsHash) &&
    equalBytes(trusted.nextValidatorsHash, conflicting.nextValidatorsHash) &&
    equalBytes(trusted.consensusHash, conflicting.consensusHash) &&
    equalBytes(trusted.appHash, conflicting.appHash) &&
    equalBytes(trusted.lastResultsHash, conflicting.lastResultsHash)
  );
}

/**
 * Who is to blame for a conflicting block, by falling power and then by address: of a lunatic one those of
 * the common height who signed it; of one of the same round those who signed both; otherwise nobody.
 */
export function byzantineValidators(
  conflicting: LightBlock,
  against: {
    /** Of the chain: at the conflicting height, or its last one when it is not there yet. */
    readonly trusted: SignedHeader;
    /** Validators of the common height. */
    readonly common: ValidatorSet;
  },
): readonly Validator[] {
  const { trusted, common } = against;
  const signers = conflicting.commit.signatures.map(({ blockIdFlag, validatorAddress }) =>
    blockIdFlag === 'commit' ? validatorAddress : undefined,
  );
  if (isLunatic(conflicting.header, trusted.header)) return membersOf(common, signers);
  if (trusted.commit.round !== conflicting.commit.round) return [];
  // One set of validators, so one order of entries.
  const signedBoth = signers.filter((_, i) => trusted.commit.signatures[i]?.blockIdFlag === 'commit');
  return membersOf(conflicting.validators, signedBoth);
}

function membersOf(set: ValidatorSet, addresses: readonly (Uint8Array | undefined)[]): readonly Validator[] {
  const byAddress = new Map(set.validators.map((each) => [toHex(each.address), each] as const));
  const members = addresses.flatMap((address) => {
    const validator = address === undefined ? undefined : byAddress.get(toHex(address));
    return validator === undefined ? [] : [validator];
  });
  return members.sort((a, b) => {
    if (a.votingPower !== b.votingPower) return a.votingPower > b.votingPower ? -1 : 1;
    return compareBytes(a.address, b.address);
  });
}

/** What a full node knows to judge an attack by. */
export interface AttackContext {
  readonly chainId: string;
  /** Validators of the common height. */
  readonly common: ValidatorSet;
  /** Of the chain: at the conflicting height, or its last one when it is not there yet. */
  readonly trusted: SignedHeader;
  readonly verify: VerifySignature;
}

/**
 * Checks that evidence is true: the block conflicts with the chain, enough validators have signed it, and
 * blame and powers are what the chain says. The time is checked by whoever knows the block of the common
 * height. Source: CometBFT v0.38.21 `evidence/verify.go` (VerifyLightClientAttack, validateABCIEvidence).
 * @throws LedgerError `evidence.*` or `commit.*` on the first thing wrong
 */
export function verifyLightClientAttack(evidence: LightClientAttackEvidence, context: AttackContext): void {
  const { conflictingBlock: block, commonHeight } = evidence;
  const { chainId, common, trusted, verify } = context;
  if (block.header.chainId !== chainId)
    throw new LedgerError('evidence.chain', 'the conflicting block is of another chain');
  const commit = { chainId, commit: block.commit, verify, everySignature: true };
  if (commonHeight !== block.header.height) {
    verifyCommitLightTrusting({ ...commit, trusted: common, level: LIGHT_TRUST_LEVEL });
  } else if (isLunatic(block.header, trusted.header)) {
    throw new LedgerError(
      'evidence.common',
      'the conflicting block forges the state of the common height itself',
    );
  }
  const { height } = block.header;
  verifyCommitLight({ ...commit, validators: block.validators, height, blockId: block.commit.blockId });
  if (evidence.totalVotingPower !== common.totalVotingPower)
    throw new LedgerError('evidence.power', 'the total voting power is not that of the common height');
  checkConflict(block.header, trusted.header);
  checkBlame(evidence.byzantineValidators, byzantineValidators(block, { trusted, common }));
}

/**
 * A block ahead of the chain conflicts when it is not later than the chain's last one: time only goes
 * forward.
 */
function checkConflict(conflicting: Header, trusted: Header): void {
  if (conflicting.height > trusted.height) {
    if (compareTime(conflicting.time, trusted.time) > 0)
      throw new LedgerError('evidence.time', 'the chain is not yet where the block claims to be');
  } else if (equalBytes(headerHash(conflicting), headerHash(trusted))) {
    throw new LedgerError('evidence.conflict', 'the block is on the chain');
  }
}

function checkBlame(stated: readonly Validator[], found: readonly Validator[]): void {
  const same =
    stated.length === found.length &&
    found.every(({ address, votingPower }, i) => {
      const each = stated[i];
      return each !== undefined && equalBytes(each.address, address) && each.votingPower === votingPower;
    });
  if (!same) throw new LedgerError('evidence.validators', 'the evidence blames others than those who did it');
}
