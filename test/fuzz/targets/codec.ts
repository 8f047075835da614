/** The codec itself, over messages that contain themselves, many fields or every kind of number. */
import { concatBytes, utf8 } from '../../../core/bytes.ts';
import type { MessageType, UnknownFields } from '../../../proto/codec/message.ts';
import { AuthInfo, ModeInfo, TxBody } from '../../../proto/gen/cosmos/tx/v1beta1/tx.ts';
import { Any } from '../../../proto/gen/google/protobuf/any.ts';
import { RequestFinalizeBlock, ResponseFinalizeBlock } from '../../../proto/gen/tendermint/abci/types.ts';
import { ProofOps } from '../../../proto/gen/tendermint/crypto/proof.ts';
import { ConsensusParams } from '../../../proto/gen/tendermint/types/params.ts';
import { Message as SnapshotMessage } from '../../../proto/gen/tendermint/statesync/types.ts';
import type { Target } from '../target.ts';
import { isDecodeError } from './vectors.ts';

const KIB = 1024;
/** As transactions are read. */
const ELEMENTS_MAX = 10_000;
const UNKNOWN: readonly UnknownFields[] = ['skip', 'reject', 'reject-critical'];

/** A message type, read in each way that unknown fields can be treated, by the length of the input. */
function target<T>(type: MessageType<T>, values: readonly Partial<T>[]): Target {
  return {
    name: `codec/${type.name.split('.').at(-1)}`,
    form: 'protobuf',
    seeds: [new Uint8Array(0), ...values.map((value) => type.encode(type.create(value)))],
    bytesMax: 64 * KIB,
    read: (bytes) => {
      const unknown = UNKNOWN[bytes.length % UNKNOWN.length] ?? 'skip';
      const encoded = type.encode(type.decode(bytes, { unknown, elementsMax: ELEMENTS_MAX }));
      return () => encoded;
    },
    documented: isDecodeError,
  };
}

const any = { typeUrl: '/a.B', value: concatBytes(utf8('value'), new Uint8Array(9)) };
const bits = { extraBitsStored: 3, elems: Uint8Array.of(7) };
const single = ModeInfo.create({ single: { mode: 1 } });
const multi = ModeInfo.create({ multi: { bitarray: bits, modeInfos: [single, single] } });
const coin = { denom: 'uopen', amount: '5' };

export const CODEC_TARGETS: readonly Target[] = [
  target(Any, [any]),
  target(ModeInfo, [
    single,
    multi,
    ModeInfo.create({ multi: { bitarray: bits, modeInfos: [multi, single] } }),
  ]),
  target(TxBody, [{ messages: [any, any], memo: 'mémo', timeoutHeight: 1n << 63n }]),
  target(AuthInfo, [
    {
      signerInfos: [{ publicKey: any, modeInfo: multi, sequence: 7n }],
      fee: { amount: [coin, coin], gasLimit: 200_000n, payer: '', granter: '' },
    },
  ]),
  target(RequestFinalizeBlock, [{ txs: [any.value], height: 7n, time: { seconds: -1n, nanos: 5 } }]),
  target(ResponseFinalizeBlock, [
    {
      events: [{ type: 'a', attributes: [{ key: 'k', value: 'v', index: true }] }],
      validatorUpdates: [{ pubKey: { ed25519: any.value, secp256k1: undefined }, power: -1n }],
    },
  ]),
  target(ConsensusParams, [
    { block: { maxBytes: 1n, maxGas: -1n }, validator: { pubKeyTypes: ['ed25519'] } },
  ]),
  target(ProofOps, [{ ops: [{ type: 'ics23:iavl', key: any.value, data: any.value }] }]),
  target(SnapshotMessage, [
    { snapshotsRequest: {} },
    {
      snapshotsResponse: { height: 5n, format: 1, chunks: 3, hash: new Uint8Array(32), metadata: any.value },
    },
    { chunkRequest: { height: 5n, format: 1, index: 2 } },
    { chunkResponse: { height: 5n, format: 1, index: 2, chunk: any.value, missing: false } },
  ]),
];
