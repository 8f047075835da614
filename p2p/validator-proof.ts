/**
 * The messages by which a peer proves that it holds a consensus key, and the bytes that it signs for it.
 *
 *     0x00 ‖ "openledger/validator-proof/1" ‖ ValidatorProof{chain id, prover, asker, nonce}
 *
 * Whatever else a consensus key signs (votes, proposals, vote extensions) is a message with its length in
 * front that is never empty, so it never begins with 0x00; nor does a transaction. The ids are those that the
 * connection proved, so a proof is of no use to a third peer; the nonce is the asker's, so it is of no use later.
 */
import { concatBytes, utf8 } from '../core/bytes.ts';
import { DecodeError } from '../core/errors.ts';
import {
  ValidatorProof,
  ValidatorProofRequest,
  ValidatorProofResponse,
} from '../proto/gen/openledger/p2p/v1/p2p.ts';
import type { PublicKey } from '../proto/gen/tendermint/crypto/keys.ts';

/** Bytes of the asker's nonce. */
export const PROOF_NONCE_BYTES = 32;
/** Bytes of a signature, ed25519 and secp256k1 alike. */
export const PROOF_SIGNATURE_BYTES = 64;
/** Bytes of the longest request: the nonce with its tag and length. */
export const PROOF_REQUEST_BYTES_MAX = 34;
/** Bytes of the longest answer: a secp256k1 key (33 bytes) and a signature, each with tag and length. */
export const PROOF_RESPONSE_BYTES_MAX = 103;

const PREFIX = concatBytes(Uint8Array.of(0), utf8('openledger/validator-proof/1'));

/** Who proves the key to whom. */
export interface ProofParties {
  /** Peer id of the node that holds the key. */
  readonly prover: string;
  /** Peer id of the node that wants to know. */
  readonly asker: string;
  /** 32 random bytes of the asker. */
  readonly nonce: Uint8Array;
}

/** A key, and a signature that is still to be checked. */
export interface KeyProof {
  readonly publicKey: PublicKey;
  readonly signature: Uint8Array;
}

/** The bytes that the proof's signature is over. */
export function proofSignBytes(chainId: string, { prover, asker, nonce }: ProofParties): Uint8Array {
  return concatBytes(PREFIX, ValidatorProof.encode({ chainId, prover, asker, nonce }));
}

/** Asks for a proof. */
export function encodeProofRequest(nonce: Uint8Array): Uint8Array {
  return ValidatorProofRequest.encode({ nonce });
}

/**
 * The nonce of the asker.
 * @throws DecodeError when it has not 32 bytes
 */
export function decodeProofRequest(bytes: Uint8Array): Uint8Array {
  if (bytes.length > PROOF_REQUEST_BYTES_MAX)
    throw new DecodeError('request for a proof is over the limit', { length: bytes.length });
  const { nonce } = ValidatorProofRequest.decode(bytes, { unknown: 'reject' });
  if (nonce.length !== PROOF_NONCE_BYTES)
    throw new DecodeError(`request for a proof with a nonce of ${nonce.length} bytes`);
  return nonce;
}

/** Answers with a proof, or with none. */
export function encodeProofResponse(proof: KeyProof | undefined): Uint8Array {
  return ValidatorProofResponse.encode({
    pubKey: proof?.publicKey,
    signature: proof?.signature ?? new Uint8Array(0),
  });
}

/**
 * The proof of an answer; undefined: the peer gives none. The key is one of the two kinds, of any length: the
 * set of validators says which keys there are.
 * @throws DecodeError when there is a key without a signature, or the other way round
 */
export function decodeProofResponse(bytes: Uint8Array): KeyProof | undefined {
  if (bytes.length > PROOF_RESPONSE_BYTES_MAX)
    throw new DecodeError('answer with a proof is over the limit', { length: bytes.length });
  if (bytes.length === 0) return undefined;
  const { pubKey, signature } = ValidatorProofResponse.decode(bytes, { unknown: 'reject' });
  if (pubKey?.ed25519 === undefined && pubKey?.secp256k1 === undefined)
    throw new DecodeError('answer with a proof of no known key');
  if (signature.length !== PROOF_SIGNATURE_BYTES)
    throw new DecodeError(`answer with a signature of ${signature.length} bytes`);
  return { publicKey: pubKey, signature };
}
