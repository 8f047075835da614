/**
 * ICS-23 commitment proofs and their protobuf bytes (`cosmos.ics23.v1`), as far as the multistore gives them
 * out: SHA-256 throughout, keys not hashed before, values hashed, lengths as unsigned varints.
 * Source: github.com/cosmos/ics23 `proto/cosmos/ics23/v1/proofs.proto`.
 */
import { concatBytes } from '../core/bytes.ts';
import { encodeUvarint } from '../core/varint.ts';

/** `HashOp.SHA256`, `LengthOp.VAR_PROTO`: both are 1. */
const SHA256_OP = 1;
const VAR_PROTO_OP = 1;
const WIRE_BYTES = 2;

/** One step up: the parent's hash is that of `prefix | child | suffix`. */
export interface InnerStep {
  readonly prefix: Uint8Array;
  readonly suffix: Uint8Array;
}

/** A pair and the way from it to the root. */
export interface ExistenceProof {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  /** What a leaf's hash input begins with. */
  readonly leafPrefix: Uint8Array;
  /** From the leaf upwards. */
  readonly path: readonly InnerStep[];
}

/** The neighbours between which a key would be; a missing one means that the key lies outside all keys. */
export interface NonExistenceProof {
  readonly key: Uint8Array;
  readonly left: ExistenceProof | undefined;
  readonly right: ExistenceProof | undefined;
}

/** Bytes of a `CommitmentProof` that a pair exists. */
export function encodeExistence(proof: ExistenceProof): Uint8Array {
  return field(1, existence(proof));
}

/** Bytes of a `CommitmentProof` that a key does not exist. */
export function encodeNonExistence(proof: NonExistenceProof): Uint8Array {
  const left = proof.left === undefined ? [] : [field(2, existence(proof.left))];
  const right = proof.right === undefined ? [] : [field(3, existence(proof.right))];
  return field(2, concatBytes(bytesField(1, proof.key), ...left, ...right));
}

function existence(proof: ExistenceProof): Uint8Array {
  const leaf = concatBytes(
    enumField(1, SHA256_OP),
    enumField(3, SHA256_OP),
    enumField(4, VAR_PROTO_OP),
    bytesField(5, proof.leafPrefix),
  );
  return concatBytes(
    bytesField(1, proof.key),
    bytesField(2, proof.value),
    field(3, leaf),
    ...proof.path.map((step) => field(4, innerStep(step))),
  );
}

function innerStep(step: InnerStep): Uint8Array {
  return concatBytes(enumField(1, SHA256_OP), bytesField(2, step.prefix), bytesField(3, step.suffix));
}

function enumField(number: number, value: number): Uint8Array {
  return Uint8Array.of(number << 3, value);
}

/** A bytes field; an empty one is not written (proto3). */
function bytesField(number: number, value: Uint8Array): Uint8Array {
  return value.length === 0 ? value : field(number, value);
}

function field(number: number, content: Uint8Array): Uint8Array {
  const tag = Uint8Array.of((number << 3) | WIRE_BYTES);
  return concatBytes(tag, encodeUvarint(BigInt(content.length)), content);
}
