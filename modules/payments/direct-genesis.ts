/** Holds and spent nonces in a genesis document. */
import { toHex } from '../../core/bytes.ts';
import type { AddressCodec } from '../../framework/address.ts';
import { StateError } from '../../framework/errors.ts';
import type { JsonReader } from '../../framework/json.ts';
import { AuthorizationState } from '../../proto/gen/openledger/payments/v1/authorization.ts';
import type { GenesisState } from '../../proto/gen/openledger/payments/v1/genesis.ts';
import type { Hold } from '../../proto/gen/openledger/payments/v1/payments.ts';
import { validateTerms } from './authorizations.ts';
import { paymentErrors } from './errors.ts';
import { requireHash, requirePositive } from './shapes.ts';

/** @throws LedgerError `genesis` naming the path */
export function readDirect(genesis: GenesisState, json: JsonReader, addresses: AddressCodec): void {
  readHolds(genesis, json, addresses);
  readNonces(genesis, json, addresses);
}

/** A payer's request, however the address is written. */
export function requestName(
  { payer, requestHash }: Pick<Hold, 'payer' | 'requestHash'>,
  addresses: AddressCodec,
): string {
  return `${toHex(addresses.toBytes(payer))}/${toHex(requestHash)}`;
}

function readHolds(
  { holds, holdSequence, receipts }: GenesisState,
  json: JsonReader,
  addresses: AddressCodec,
): void {
  const places = json.member('holds').elements();
  const requests = new Set(receipts.map((receipt) => requestName(receipt, addresses)));
  let previous = 0n;
  for (const [i, hold] of holds.entries()) {
    const { id, payee, requestHash, amount, expires } = hold;
    const place = places[i] ?? json;
    if (id <= previous || id > holdSequence)
      place.fail(`ids must ascend up to hold_sequence, ${id} follows ${previous}`);
    previous = id;
    place.attempt(() => {
      addresses.toBytes(payee);
      requireHash('request_hash', requestHash, paymentErrors.invalidHold);
      requirePositive('amount', amount, paymentErrors.invalidHold);
      const name = requestName(hold, addresses);
      if (requests.has(name))
        throw new StateError(paymentErrors.invalidHold, 'its request is paid or held already');
      requests.add(name);
    });
    if (expires <= 0n) place.member('expires').fail('must be seconds since 1970');
  }
}

function readNonces({ spentNonces }: GenesisState, json: JsonReader, addresses: AddressCodec): void {
  const places = json.member('spent_nonces').elements();
  const seen = new Set<string>();
  for (const [i, spent] of spentNonces.entries()) {
    const place = places[i] ?? json;
    place.attempt(() => validateTerms({ ...spent, validAfter: 0n }, addresses));
    const { from, nonce, state } = spent;
    const name = `${from}/${toHex(nonce)}`;
    if (seen.has(name)) place.fail('is spent twice');
    seen.add(name);
    const { AUTHORIZATION_STATE_USED: used, AUTHORIZATION_STATE_CANCELLED: cancelled } = AuthorizationState;
    if (state !== used && state !== cancelled) place.member('state').fail('is neither used nor cancelled');
  }
}
