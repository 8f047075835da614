/**
 * Bytes of ICS-23 proofs: field tables of `cosmos.ics23.v1`, as far as IAVL and the multistore use them.
 * Source: github.com/cosmos/ics23 v0.11 `proofs.proto`.
 */
import { messageType, type MessageType, NO_BYTES } from '../../proto/codec/message.ts';

/** How the hash of a leaf is made. */
export interface LeafOp {
  readonly hash: number;
  readonly prehashKey: number;
  readonly prehashValue: number;
  readonly length: number;
  readonly prefix: Uint8Array;
}

/** One step up: the parent's hash is that of `prefix | child | suffix`. */
export interface InnerOp {
  readonly hash: number;
  readonly prefix: Uint8Array;
  readonly suffix: Uint8Array;
}

/** A pair and the way from it to the root. */
export interface ExistenceProof {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly leaf: LeafOp | undefined;
  /** From the leaf upwards. */
  readonly path: readonly InnerOp[];
}

/** The neighbours between which a key would be. */
export interface NonExistenceProof {
  readonly key: Uint8Array;
  readonly left: ExistenceProof | undefined;
  readonly right: ExistenceProof | undefined;
}

/** One of the two. Batches and compressed batches, which no query answers with, are not read. */
export interface CommitmentProof {
  readonly exist: ExistenceProof | undefined;
  readonly nonexist: NonExistenceProof | undefined;
}

const enumField = (number: number, name: string) =>
  ({ number, name, protoName: name, rule: 'single', value: { kind: 'int32' } }) as const;
const bytesField = (number: number, name: string) =>
  ({ number, name, protoName: name, rule: 'single', value: { kind: 'bytes' } }) as const;

const LeafOp: MessageType<LeafOp> = messageType<LeafOp>(
  'cosmos.ics23.v1.LeafOp',
  () => ({ hash: 0, prehashKey: 0, prehashValue: 0, length: 0, prefix: NO_BYTES }),
  () => [
    enumField(1, 'hash'),
    enumField(2, 'prehashKey'),
    enumField(3, 'prehashValue'),
    enumField(4, 'length'),
    bytesField(5, 'prefix'),
  ],
);

const InnerOp: MessageType<InnerOp> = messageType<InnerOp>(
  'cosmos.ics23.v1.InnerOp',
  () => ({ hash: 0, prefix: NO_BYTES, suffix: NO_BYTES }),
  () => [enumField(1, 'hash'), bytesField(2, 'prefix'), bytesField(3, 'suffix')],
);

const ExistenceProof: MessageType<ExistenceProof> = messageType<ExistenceProof>(
  'cosmos.ics23.v1.ExistenceProof',
  () => ({ key: NO_BYTES, value: NO_BYTES, leaf: undefined, path: [] }),
  () => [
    bytesField(1, 'key'),
    bytesField(2, 'value'),
    { ...bytesField(3, 'leaf'), value: { kind: 'message', message: () => LeafOp } },
    { ...bytesField(4, 'path'), rule: 'repeated', value: { kind: 'message', message: () => InnerOp } },
  ],
);

const NonExistenceProof: MessageType<NonExistenceProof> = messageType<NonExistenceProof>(
  'cosmos.ics23.v1.NonExistenceProof',
  () => ({ key: NO_BYTES, left: undefined, right: undefined }),
  () => [
    bytesField(1, 'key'),
    { ...bytesField(2, 'left'), value: { kind: 'message', message: () => ExistenceProof } },
    { ...bytesField(3, 'right'), value: { kind: 'message', message: () => ExistenceProof } },
  ],
);

/** The codec of proofs. */
export const CommitmentProof: MessageType<CommitmentProof> = messageType<CommitmentProof>(
  'cosmos.ics23.v1.CommitmentProof',
  () => ({ exist: undefined, nonexist: undefined }),
  () => [
    { ...bytesField(1, 'exist'), value: { kind: 'message', message: () => ExistenceProof } },
    { ...bytesField(2, 'nonexist'), value: { kind: 'message', message: () => NonExistenceProof } },
  ],
);
