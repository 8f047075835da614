import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import { SignDoc, SignDocDirectAux } from '../../proto/gen/cosmos/tx/v1beta1/tx.ts';
import { AssertionError } from '../../core/errors.ts';
import { equalBytes } from '../../core/bytes.ts';
import type { Address } from '../address.ts';
import { StateError, sdkErrors } from '../errors.ts';
import { aminoSignBytes } from './amino-json.ts';
import type { DecodedTx } from './decode.ts';
import type { SingleKey } from './public-key.ts';

/** One signature to check. */
export interface SignatureTask {
  readonly pubKey: SingleKey;
  /** What was signed; secp256k1 signs its SHA-256. */
  readonly signBytes: Uint8Array;
  /** 64 bytes, r ‖ s with low s for secp256k1. */
  readonly signature: Uint8Array;
}

/**
 * Checks signatures synchronously: a pure function of its input. The node passes one that answers from the
 * results of worker threads and falls back to checking in place.
 */
export interface SignatureVerifier {
  /** False for a wrong or malformed signature; never throws for what a user sent. */
  verify(task: SignatureTask): boolean;
}

/** What a signature binds besides the transaction. */
export interface SignerData {
  readonly chainId: string;
  /** 0 at genesis. */
  readonly accountNumber: bigint;
  readonly sequence: bigint;
  /** Present where it is known: what an auxiliary signer signs names its key. */
  readonly signer?: KnownSigner;
}

/** Whose signature it is. */
export interface KnownSigner {
  readonly address: Address;
  /** Of the account. */
  readonly publicKey: Any;
}

/** `cosmos.tx.signing.v1beta1.SignMode` numbers that are known here. */
export const SIGN_MODE_DIRECT = 1;

/** Sign mode of whoever signs before the fee is known: all but the fee payer may. */
export const SIGN_MODE_DIRECT_AUX = 3;

/** Sign mode of a plain or hardware wallet that signs JSON. */
export const SIGN_MODE_LEGACY_AMINO_JSON = 127;

/**
 * What a signer signed, by sign mode. Made once for each signer.
 * @throws StateError when the mode is not supported or cannot say what the transaction says
 */
export function signBytes(tx: DecodedTx, mode: number, signer: SignerData): Uint8Array {
  const { chainId, accountNumber, sequence } = signer;
  for (let known = tx.signBytesMemo.last; known !== undefined; known = known.before)
    if (
      mode !== SIGN_MODE_DIRECT_AUX &&
      known.accountNumber === accountNumber &&
      known.sequence === sequence &&
      known.mode === mode &&
      known.chainId === chainId
    )
      return known.bytes;
  const bytes = makeSignBytes(tx, mode, signer);
  const before = tx.signBytesMemo.last;
  tx.signBytesMemo.last = { mode, chainId, accountNumber, sequence, bytes, before };
  return bytes;
}

function makeSignBytes(tx: DecodedTx, mode: number, signer: SignerData): Uint8Array {
  const { chainId, accountNumber, sequence } = signer;
  const { bodyBytes, authInfoBytes } = tx;
  switch (mode) {
    case SIGN_MODE_DIRECT:
      return SignDoc.encode({ bodyBytes, authInfoBytes, chainId, accountNumber });
    case SIGN_MODE_LEGACY_AMINO_JSON:
      return aminoSignBytes(tx, signer);
    case SIGN_MODE_DIRECT_AUX: {
      const publicKey = auxiliaryKey(tx, signer);
      return SignDocDirectAux.encode({
        bodyBytes,
        publicKey,
        chainId,
        accountNumber,
        sequence,
        tip: undefined,
      });
    }
    default:
      throw new StateError(sdkErrors.notSupported, `unsupported sign mode ${mode}`);
  }
}

/** Who pays must sign the fee, which this mode does not. */
function auxiliaryKey({ fee }: DecodedTx, { signer }: SignerData): Any {
  if (signer === undefined) throw new AssertionError('the auxiliary signer is not known');
  if (equalBytes(fee.payer, signer.address))
    throw new StateError(
      sdkErrors.unauthorized,
      `fee payer ${fee.payerName()} cannot sign with SIGN_MODE_DIRECT_AUX`,
    );
  return signer.publicKey;
}
