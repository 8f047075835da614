/** Reading, hashing and looking up validator sets. How they change is in `../proposer.ts`. */
import { equalBytes } from '../../core/bytes.ts';
import { DecodeError } from '../../core/errors.ts';
import { merkleRoot } from '../../core/merkle.ts';
import {
  SimpleValidator as SimpleValidatorMessage,
  ValidatorSet as ValidatorSetMessage,
  type Validator as ValidatorMessage,
} from '../../proto/gen/tendermint/types/validator.ts';
import { VALIDATORS_MAX } from './limits.ts';
import { addressOf, publicKeyFromMessage, publicKeyToMessage } from './public-key.ts';
import type { Validator, ValidatorSet } from './validator.ts';

/** Largest sum of voting powers: an eighth of int64, so that priorities cannot overflow. */
export const TOTAL_VOTING_POWER_MAX: bigint = ((1n << 63n) - 1n) / 8n;

/** No validators: the set before the chain's first height. */
export const EMPTY_VALIDATOR_SET: ValidatorSet = {
  validators: [],
  proposer: undefined,
  totalVotingPower: 0n,
};

/** What is hashed of a validator: key and power, not the priority (tendermint.types.SimpleValidator). */
export function simpleValidatorBytes(validator: Pick<Validator, 'publicKey' | 'votingPower'>): Uint8Array {
  return SimpleValidatorMessage.encode({
    pubKey: publicKeyToMessage(validator.publicKey),
    votingPower: validator.votingPower,
  });
}

/** By object: the set of a height is hashed for two blocks, and never changes. */
const hashes = new WeakMap<ValidatorSet, Uint8Array>();

/** The header's `validatorsHash`: 32 bytes. */
export function validatorsHash(set: ValidatorSet): Uint8Array {
  const known = hashes.get(set);
  if (known !== undefined) return known;
  const hash = merkleRoot(set.validators.map(simpleValidatorBytes));
  hashes.set(set, hash);
  return hash;
}

/** Position of an address in a set; -1 when it is not there. */
export function validatorIndex(set: ValidatorSet, address: Uint8Array): number {
  return set.validators.findIndex((validator) => equalBytes(validator.address, address));
}

/** The validator with an address. */
export function validatorByAddress(set: ValidatorSet, address: Uint8Array): Validator | undefined {
  return set.validators.find((validator) => equalBytes(validator.address, address));
}

/** True when `power` is more than two thirds of the set's. */
export function isTwoThirds(set: ValidatorSet, power: bigint): boolean {
  return power * 3n > set.totalVotingPower * 2n;
}

/** True when `power` is more than one third of the set's: at least one honest validator is among it. */
export function isOneThird(set: ValidatorSet, power: bigint): boolean {
  return power * 3n > set.totalVotingPower;
}

/** Encodes a set with priorities and proposer (tendermint.types.ValidatorSet). */
export function encodeValidatorSet(set: ValidatorSet): Uint8Array {
  return ValidatorSetMessage.encode(validatorSetToMessage(set));
}

/**
 * The set as a message. The total is left out, as CometBFT does: it is cached, and these bytes are
 * compared.
 */
export function validatorSetToMessage(set: ValidatorSet): ValidatorSetMessage {
  return {
    validators: set.validators.map(validatorToMessage),
    proposer: set.proposer === undefined ? undefined : validatorToMessage(set.proposer),
    totalVotingPower: 0n,
  };
}

/** A validator with its priority (tendermint.types.Validator). */
export function validatorToMessage(validator: Validator): ValidatorMessage {
  return {
    address: validator.address,
    pubKey: publicKeyToMessage(validator.publicKey),
    votingPower: validator.votingPower,
    proposerPriority: validator.proposerPriority,
  };
}

/**
 * Reads a set.
 * @throws DecodeError when it is malformed or does not satisfy `validatorSetFromMessage`
 */
export function decodeValidatorSet(bytes: Uint8Array): ValidatorSet {
  return validatorSetFromMessage(ValidatorSetMessage.decode(bytes, { elementsMax: VALIDATORS_MAX }));
}

/**
 * Checks a set from outside: at most `VALIDATORS_MAX`, each address derived from its key and there once,
 * powers positive with a sum within bounds, the proposer one of them. The stated total is not believed but
 * computed.
 * @throws DecodeError otherwise
 */
export function validatorSetFromMessage(message: ValidatorSetMessage): ValidatorSet {
  if (message.validators.length > VALIDATORS_MAX) {
    throw new DecodeError(`a validator set has at most ${VALIDATORS_MAX} members`, {
      members: message.validators.length,
    });
  }
  const validators = message.validators.map(validatorFromMessage);
  let totalVotingPower = 0n;
  const seen = new Set<string>();
  for (const validator of validators) {
    totalVotingPower += validator.votingPower;
    seen.add(validator.address.join());
  }
  if (totalVotingPower > TOTAL_VOTING_POWER_MAX) {
    throw new DecodeError('total voting power is too large', { totalVotingPower });
  }
  if (seen.size !== validators.length) throw new DecodeError('a validator is in the set twice');
  if (validators.length === 0) return EMPTY_VALIDATOR_SET;
  const proposer = message.proposer === undefined ? undefined : validatorFromMessage(message.proposer);
  if (proposer === undefined || !seen.has(proposer.address.join())) {
    throw new DecodeError('the proposer is not in the validator set');
  }
  return { validators, proposer, totalVotingPower };
}

/** @throws DecodeError when the address is not that of the key, or the power is not positive */
export function validatorFromMessage(message: ValidatorMessage): Validator {
  const publicKey = publicKeyFromMessage(message.pubKey);
  const address = addressOf(publicKey);
  if (!equalBytes(address, message.address))
    throw new DecodeError('validator address is not that of its key');
  if (message.votingPower <= 0n) throw new DecodeError('voting power must be positive');
  return {
    address,
    publicKey,
    votingPower: message.votingPower,
    proposerPriority: message.proposerPriority,
  };
}
