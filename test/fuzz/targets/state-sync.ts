/** State sync and peer exchange. */
import { decodeLightBlock } from '../../../consensus/types/light-block.ts';
import {
  decodeChunk,
  decodeChunkRequest,
  decodeLightBlockResponse,
  decodeSnapshots,
  encodeChunk,
  encodeChunkRequest,
  encodeLightBlockResponse,
  encodeSnapshots,
} from '../../../node/statesync/messages.ts';
import { ADDRESSES_MAX } from '../../../p2p/exchange-limits.ts';
import {
  decodeAddressesRequest,
  decodeAddressesResponse,
  encodeAddressesRequest,
  encodeAddressesResponse,
} from '../../../p2p/exchange.ts';
import { AddressesResponse } from '../../../proto/gen/openledger/p2p/v1/p2p.ts';
import { Snapshot } from '../../../proto/gen/tendermint/abci/types.ts';
import type { Target } from '../target.ts';
import { protobufTarget } from './protobuf-target.ts';
import { base64Vectors } from './vectors.ts';

const hash = new Uint8Array(32).fill(4);
const snapshots = [7n, 3n].map((height) => Snapshot.create({ height, format: 1, chunks: 3, hash }));
const request = { height: 7n, format: 1, index: 2 };
const peer = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN';
const addresses = [`/ip4/10.0.0.1/tcp/26656/p2p/${peer}`, `/dns4/a.example/tcp/1/p2p/${peer}`];
/** The height of the first block of the vectors that is whole. */
const { block, bytes: blockBytes } = (() => {
  for (const bytes of base64Vectors('light/verify.json', 'blocks')) {
    try {
      return { bytes, block: decodeLightBlock(bytes) };
    } catch {
      // Some of the file's blocks are broken on purpose.
    }
  }
  throw new RangeError('no light block');
})();

export const STATE_SYNC_TARGETS: readonly Target[] = [
  protobufTarget('statesync/snapshots', [encodeSnapshots(snapshots), encodeSnapshots([])], {
    decode: decodeSnapshots,
    encode: encodeSnapshots,
  }),
  protobufTarget('statesync/chunk-request', [encodeChunkRequest(request)], {
    decode: decodeChunkRequest,
    encode: encodeChunkRequest,
  }),
  protobufTarget(
    'statesync/chunk',
    [new Uint8Array(300).fill(5), new Uint8Array(0)].map((chunk) => encodeChunk(request, chunk)),
    {
      decode: (bytes) => decodeChunk(request, bytes),
      encode: (chunk) => encodeChunk(request, chunk ?? new Uint8Array(0)),
    },
  ),
  protobufTarget('statesync/light-block', [blockBytes, new Uint8Array(0)], {
    decode: (bytes) => decodeLightBlockResponse(block.header.height, bytes),
    encode: encodeLightBlockResponse,
  }),
  protobufTarget('pex/request', [encodeAddressesRequest(20)], {
    decode: decodeAddressesRequest,
    encode: encodeAddressesRequest,
  }),
  protobufTarget('pex/response', [AddressesResponse.encode({ addresses })], {
    decode: (bytes) => decodeAddressesResponse(bytes, ADDRESSES_MAX),
    encode: encodeAddressesResponse,
  }),
];
