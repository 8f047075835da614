/** Validators, delegations and their kin in a genesis document, in x/staking's shape. */
import { fromBase64, toBase64 } from '../../core/bytes.ts';
import { formatInstant } from '../../core/time.ts';
import type { JsonObject, JsonReader } from '../../framework/json.ts';
import { ed25519PublicKey, type SingleKey, secp256k1PublicKey } from '../../framework/tx/public-key.ts';
import {
  addressFromJson,
  amountFromJson,
  decimalFromJson,
  heightFromJson,
  timeFromJson,
} from '../../framework/json-fields.ts';
import type { StakingAddresses } from './ports.ts';
import type {
  Commission,
  Delegation,
  Description,
  Redelegation,
  RedelegationEntry,
  UnbondingDelegation,
  UnbondingEntry,
  Validator,
} from './types.ts';
import { requireLengths, validateRates } from './validator-messages.ts';
import { statusName, statusOfName } from './wire.ts';

const ED25519 = '/cosmos.crypto.ed25519.PubKey';
const SECP256K1 = '/cosmos.crypto.secp256k1.PubKey';

/** A validator as the document has it. */
export function validatorToJson(validator: Validator, { validators }: StakingAddresses): JsonObject {
  const { consensusKey, description, commission } = validator;
  return {
    operator_address: validators.toText(validator.operator),
    consensus_pubkey: { '@type': consensusKey.any.typeUrl, key: toBase64(consensusKey.bytes) },
    jailed: validator.jailed,
    status: statusName(validator.status),
    tokens: validator.tokens.toString(),
    delegator_shares: validator.shares.toString(),
    description: {
      moniker: description.moniker,
      identity: description.identity,
      website: description.website,
      security_contact: description.securityContact,
      details: description.details,
    },
    unbonding_height: validator.unbondingHeight.toString(),
    unbonding_time: formatInstant(validator.unbondingTime),
    commission: {
      commission_rates: {
        rate: commission.rate.toString(),
        max_rate: commission.maxRate.toString(),
        max_change_rate: commission.maxChangeRate.toString(),
      },
      update_time: formatInstant(commission.updateTime),
    },
    min_self_delegation: validator.minSelfDelegation.toString(),
    unbonding_on_hold_ref_count: '0',
    unbonding_ids: validator.unbondingIds.map(String),
  };
}

/** @throws JsonError naming the path */
export function validatorFromJson(json: JsonReader, { validators }: StakingAddresses): Validator {
  json.onlyMembers(
    'operator_address',
    'consensus_pubkey',
    'jailed',
    'status',
    'tokens',
    'delegator_shares',
    'description',
    'unbonding_height',
    'unbonding_time',
    'commission',
    'min_self_delegation',
    'unbonding_on_hold_ref_count',
    'unbonding_ids',
  );
  refuseHold(json);
  const status = json.member('status');
  const ids = json.member('unbonding_ids').elements();
  return {
    operator: addressFromJson(json.member('operator_address'), validators),
    consensusKey: keyFromJson(json.member('consensus_pubkey')),
    jailed: json.member('jailed').boolean(),
    status: statusOfName(status.text()) ?? status.fail(`${status.text()} is no status`),
    tokens: amountFromJson(json.member('tokens')),
    shares: decimalFromJson(json.member('delegator_shares')),
    description: descriptionFromJson(json.member('description')),
    unbondingHeight: heightFromJson(json.member('unbonding_height')),
    unbondingTime: timeFromJson(json.member('unbonding_time')),
    commission: commissionFromJson(json.member('commission')),
    minSelfDelegation: amountFromJson(json.member('min_self_delegation')),
    unbondingIds: ids.map((id) => id.uint64()),
  };
}

function keyFromJson(json: JsonReader): SingleKey {
  const type = json.member('@type').text();
  const key = json.member('key');
  const bytes = key.attempt(() => fromBase64(key.text()));
  return json.attempt(() => {
    if (type === ED25519) return ed25519PublicKey(bytes);
    if (type === SECP256K1) return secp256k1PublicKey(bytes);
    return json.member('@type').fail(`${type} keys are not supported`);
  });
}

function descriptionFromJson(json: JsonReader): Description {
  json.onlyMembers('moniker', 'identity', 'website', 'security_contact', 'details');
  const description = {
    moniker: json.member('moniker').textOr(''),
    identity: json.member('identity').textOr(''),
    website: json.member('website').textOr(''),
    securityContact: json.member('security_contact').textOr(''),
    details: json.member('details').textOr(''),
  };
  json.attempt(() => requireLengths(description));
  return description;
}

function commissionFromJson(json: JsonReader): Commission {
  json.onlyMembers('commission_rates', 'update_time');
  const rates = json.member('commission_rates');
  rates.onlyMembers('rate', 'max_rate', 'max_change_rate');
  const commission = {
    rate: decimalFromJson(rates.member('rate')),
    maxRate: decimalFromJson(rates.member('max_rate')),
    maxChangeRate: decimalFromJson(rates.member('max_change_rate')),
    updateTime: timeFromJson(json.member('update_time')),
  };
  rates.attempt(() => validateRates(commission));
  return commission;
}

/** What other modules hold is not known here: see the README. */
function refuseHold(json: JsonReader): void {
  const held = json.member('unbonding_on_hold_ref_count');
  if (held.present && held.integer() !== 0n) held.fail('unbonding that is on hold is not supported');
}

/** A delegation as the document has it. */
export function delegationToJson(delegation: Delegation, addresses: StakingAddresses): JsonObject {
  return {
    delegator_address: addresses.accounts.toText(delegation.delegator),
    validator_address: addresses.validators.toText(delegation.validator),
    shares: delegation.shares.toString(),
  };
}

/** @throws JsonError naming the path */
export function delegationFromJson(json: JsonReader, addresses: StakingAddresses): Delegation {
  json.onlyMembers('delegator_address', 'validator_address', 'shares');
  const shares = decimalFromJson(json.member('shares'));
  if (shares.sign <= 0) json.member('shares').fail('is not positive');
  return {
    delegator: addressFromJson(json.member('delegator_address'), addresses.accounts),
    validator: addressFromJson(json.member('validator_address'), addresses.validators),
    shares,
  };
}

function entryToJson(entry: Omit<UnbondingEntry, 'balance'>): JsonObject {
  return {
    creation_height: entry.creationHeight.toString(),
    completion_time: formatInstant(entry.completionTime),
    initial_balance: entry.initialBalance.toString(),
    unbonding_id: entry.unbondingId.toString(),
    unbonding_on_hold_ref_count: '0',
  };
}

function entryFromJson(json: JsonReader, last: string): Omit<UnbondingEntry, 'balance'> {
  json.onlyMembers(
    'creation_height',
    'completion_time',
    'initial_balance',
    last,
    'unbonding_id',
    'unbonding_on_hold_ref_count',
  );
  refuseHold(json);
  const id = json.member('unbonding_id');
  return {
    creationHeight: heightFromJson(json.member('creation_height')),
    completionTime: timeFromJson(json.member('completion_time')),
    initialBalance: amountFromJson(json.member('initial_balance')),
    unbondingId: id.present ? id.uint64() : 0n,
  };
}

/** An unbonding delegation as the document has it. */
export function unbondingToJson(unbonding: UnbondingDelegation, addresses: StakingAddresses): JsonObject {
  return {
    delegator_address: addresses.accounts.toText(unbonding.delegator),
    validator_address: addresses.validators.toText(unbonding.validator),
    entries: unbonding.entries.map((entry) => ({
      ...entryToJson(entry),
      balance: entry.balance.toString(),
    })),
  };
}

/** @throws JsonError naming the path */
export function unbondingFromJson(json: JsonReader, addresses: StakingAddresses): UnbondingDelegation {
  json.onlyMembers('delegator_address', 'validator_address', 'entries');
  return {
    delegator: addressFromJson(json.member('delegator_address'), addresses.accounts),
    validator: addressFromJson(json.member('validator_address'), addresses.validators),
    entries: someElements(json.member('entries')).map((entry) => ({
      ...entryFromJson(entry, 'balance'),
      balance: amountFromJson(entry.member('balance')),
    })),
  };
}

/** A redelegation as the document has it. */
export function redelegationToJson(redelegation: Redelegation, addresses: StakingAddresses): JsonObject {
  const { accounts, validators } = addresses;
  return {
    delegator_address: accounts.toText(redelegation.delegator),
    validator_src_address: validators.toText(redelegation.source),
    validator_dst_address: validators.toText(redelegation.destination),
    entries: redelegation.entries.map((entry) => ({
      ...entryToJson(entry),
      shares_dst: entry.sharesDst.toString(),
    })),
  };
}

/** @throws JsonError naming the path */
export function redelegationFromJson(json: JsonReader, addresses: StakingAddresses): Redelegation {
  json.onlyMembers('delegator_address', 'validator_src_address', 'validator_dst_address', 'entries');
  return {
    delegator: addressFromJson(json.member('delegator_address'), addresses.accounts),
    source: addressFromJson(json.member('validator_src_address'), addresses.validators),
    destination: addressFromJson(json.member('validator_dst_address'), addresses.validators),
    entries: someElements(json.member('entries')).map((entry): RedelegationEntry => {
      const sharesDst = decimalFromJson(entry.member('shares_dst'));
      if (sharesDst.sign < 0) entry.member('shares_dst').fail('is negative');
      return { ...entryFromJson(entry, 'shares_dst'), sharesDst };
    }),
  };
}

function someElements(json: JsonReader): readonly JsonReader[] {
  const elements = json.elements();
  return elements.length > 0 ? elements : json.fail('has no entries');
}
