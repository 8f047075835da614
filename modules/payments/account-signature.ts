/** The signature of an account under a statement: of its one key, or of enough of its keys. */
import { AddressCodec } from '../../framework/address.ts';
import { StateError } from '../../framework/errors.ts';
import {
  ed25519PublicKey,
  multisigPublicKey,
  type PublicKey,
  type SingleKey,
  secp256k1PublicKey,
} from '../../framework/tx/public-key.ts';
import type { SignatureTask } from '../../framework/tx/signature.ts';
import { type SignedStatement, type Statement, statementTask } from '../../framework/tx/statement.ts';
import {
  type AccountSignature,
  KeyKind,
  type KeySignature,
  SignatureForm,
} from '../../proto/gen/openledger/payments/v1/authorization.ts';
import { paymentErrors } from './errors.ts';

/** Most keys of an account that authorises; none of them may be of several keys in its turn. */
export const SIGNING_KEYS_MAX = 16;

/** Who signed, if the signatures are right. */
export interface AccountStatement {
  /** Its address is that of the account. */
  readonly key: PublicKey;
  /** All of them must be right. */
  readonly signed: readonly SignedStatement[];
}

/**
 * Reads a signature; none is verified yet.
 * @throws StateError (payments 8) when form, keys or threshold make no sense, (sdk 8) for a key of a wrong
 * length
 */
export function accountStatement(statement: Statement, signature: AccountSignature): AccountStatement {
  const form = formOf(signature);
  const keys = signature.keys.map(singleKeyOf);
  const signed = signature.keys.flatMap(({ signature: bytes }, i): readonly SignedStatement[] => {
    const key = keys[i];
    return key === undefined || bytes.length === 0 ? [] : [{ statement, form, key, signature: bytes }];
  });
  return { key: keyOf(signature, keys, signed.length), signed };
}

/**
 * What has to be verified of a signature: for those who judge it off the chain.
 * @param prefix of the chain's addresses
 * @throws as above
 */
export function accountSignatureTasks(
  statement: Statement,
  signature: AccountSignature,
  prefix: string,
): { readonly address: string; readonly tasks: readonly SignatureTask[] } {
  const addresses = new AddressCodec(prefix);
  const { key, signed } = accountStatement(statement, signature);
  const tasks = signed.map((one) => statementTask(one, addresses));
  return { address: addresses.toText(key.address), tasks };
}

function formOf({ form }: AccountSignature): SignedStatement['form'] {
  if (form === SignatureForm.SIGNATURE_FORM_PLAIN) return 'plain';
  if (form === SignatureForm.SIGNATURE_FORM_ADR036) return 'adr036';
  throw invalid(`signature form ${form} is neither plain (1) nor ADR-036 (2)`);
}

function singleKeyOf({ kind, key }: KeySignature): SingleKey {
  if (kind === KeyKind.KEY_KIND_SECP256K1) return secp256k1PublicKey(key);
  if (kind === KeyKind.KEY_KIND_ED25519) return ed25519PublicKey(key);
  throw invalid(`key kind ${kind} is neither secp256k1 (1) nor ed25519 (2)`);
}

function keyOf({ threshold }: AccountSignature, keys: readonly SingleKey[], signatures: number): PublicKey {
  const [only] = keys;
  if (only === undefined) throw invalid('a signature names no key');
  if (threshold === 0) {
    if (keys.length !== 1 || signatures !== 1)
      throw invalid(`${keys.length} keys and ${signatures} signatures of an account of one key`);
    return only;
  }
  if (keys.length > SIGNING_KEYS_MAX)
    throw invalid(`an account of ${keys.length} keys, at most ${SIGNING_KEYS_MAX} can authorise`);
  if (signatures < threshold) throw invalid(`${signatures} keys signed, ${threshold} must`);
  return multisigPublicKey(threshold, keys);
}

function invalid(detail: string): StateError {
  return new StateError(paymentErrors.invalidAuthorization, detail);
}
