/** State that comes from others: snapshots with their items, proofs of what is in a store, genesis documents. */
import { readFileSync } from 'node:fs';
import { fromHex, fromUtf8, utf8 } from '../../../core/bytes.ts';
import { LedgerError } from '../../../core/errors.ts';
import { sha256 } from '../../../core/hash.ts';
import { encodeGenesis } from '../../../genesis/encode.ts';
import { buildGenesis } from '../../../genesis/build.ts';
import { parseGenesis } from '../../../genesis/document.ts';
import { verifyStoreProof } from '../../../light/proof/store-proof.ts';
import {
  decodeBlockBytes,
  decodeHeightRequest,
  decodeSnapshots,
  decodeSnapshotsRequest,
  encodeHeightRequest,
  encodeSnapshots,
  encodeSnapshotsRequest,
} from '../../../node/statesync/messages.ts';
import { BlockResponse } from '../../../proto/gen/openledger/p2p/v1/p2p.ts';
import { ProofOps } from '../../../proto/gen/tendermint/crypto/proof.ts';
import { checkStateSnapshot } from '../../../store/backend/state-snapshots.ts';
import { hashTree } from '../../../store/iavl/hash.ts';
import { NodeArena } from '../../../store/iavl/node-arena.ts';
import { MemoryMultiStore } from '../../../store/multistore.ts';
import { SnapshotImport } from '../../../store/snapshot.ts';
import type { Target } from '../target.ts';
import { protobufTarget } from './protobuf-target.ts';
import { hexVectors, isDecodeError } from './vectors.ts';

const KIB = 1024;
const VERSION = 7n;

/** A store of a few versions, chunk by chunk. */
function exported(): Uint8Array {
  const store = new MemoryMultiStore({ stores: ['a', 'b', 'none'], initialVersion: VERSION - 2n });
  for (let version = 0; version < 3; version++) {
    for (let i = 0; i < 12; i++)
      store.layer(i % 3 === 0 ? 'b' : 'a').set(Uint8Array.of(i * version, i), utf8(`${i}`));
    store.commit();
  }
  const { chunks, close } = store.exportVersion(VERSION);
  const [chunk = new Uint8Array(0)] = chunks;
  close();
  return chunk;
}

/** Inputs between two new arenas: one for each would be all that is measured. */
const ARENA_INPUTS = 2_000;
let arena = new NodeArena();
let inputs = 0;

function restore(bytes: Uint8Array): undefined {
  if (++inputs % ARENA_INPUTS === 0) arena = new NodeArena();
  const trees = new SnapshotImport(arena, VERSION);
  trees.add(bytes);
  for (const root of trees.finish().values()) hashTree(arena, root, Number(VERSION));
  return undefined;
}

const metadata = new Uint8Array(3 * 32).fill(6);
const offer = { height: VERSION, format: 1, chunks: 3, hash: sha256(metadata), metadata };

interface ProofVector {
  readonly initialVersion: number;
  readonly versions: readonly { readonly hash: string }[];
  readonly proofs: readonly {
    readonly store: string;
    readonly key: string;
    readonly version: number;
    readonly value: string;
    readonly exists: boolean;
    readonly ops: readonly { readonly type: string; readonly key: string; readonly data: string }[];
  }[];
}

const [proven]: readonly ProofVector[] = JSON.parse(
  readFileSync(new URL('../../vectors/ics23/proofs.json', import.meta.url), 'utf8'),
);
const proofs = proven?.proofs.filter(({ version }) => version === proven.proofs[0]?.version) ?? [];
const appHash = fromHex(proven?.versions[(proofs[0]?.version ?? 1) - proven.initialVersion]?.hash ?? '');
const proofSeeds = proofs.map(({ ops }) =>
  ProofOps.encode({
    ops: ops.map(({ type, key, data }) => ({ type, key: fromHex(key), data: fromHex(data) })),
  }),
);

/** For each claim of the vectors. What holds for one of them is taken. */
function verify(bytes: Uint8Array): undefined {
  const { ops } = ProofOps.decode(bytes, { elementsMax: 8 });
  let refusal: unknown;
  for (const { store, key, value, exists } of proofs) {
    try {
      verifyStoreProof(ops, {
        appHash,
        store,
        key: fromHex(key),
        value: exists ? fromHex(value) : undefined,
      });
      return undefined;
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      refusal = error;
    }
  }
  throw refusal;
}

const document = buildGenesis({
  chainId: 'fuzz-1',
  genesisTime: { seconds: 1_700_000_000n, nanos: 5 },
  accounts: [],
  validators: [{ pubKey: new Uint8Array(32).fill(1), power: 10n, name: 'v' }],
});
const codes =
  (...allowed: readonly string[]) =>
  (error: unknown): boolean =>
    error instanceof LedgerError && allowed.includes(error.code);

export const STATE_TARGETS: readonly Target[] = [
  {
    name: 'statesync/items',
    form: 'bytes',
    seeds: [exported()],
    bytesMax: 32 * KIB,
    read: restore,
    documented: isDecodeError,
  },
  protobufTarget('statesync/offer', [encodeSnapshots([offer])], {
    decode: (bytes) => decodeSnapshots(bytes).map(checkStateSnapshot),
    encode: encodeSnapshots,
  }),
  protobufTarget('statesync/snapshots-request', [encodeSnapshotsRequest()], {
    decode: decodeSnapshotsRequest,
    encode: encodeSnapshotsRequest,
  }),
  protobufTarget('statesync/height-request', [encodeHeightRequest(VERSION)], {
    decode: decodeHeightRequest,
    encode: encodeHeightRequest,
  }),
  protobufTarget(
    'statesync/block-bytes',
    hexVectors('cometbft/blocks.json', 'blocks.bytes').map((block) =>
      BlockResponse.encode(BlockResponse.create({ block })),
    ),
    {
      decode: (bytes) => decodeBlockBytes(bytes),
      encode: (block) => BlockResponse.encode(BlockResponse.create({ block: block ?? new Uint8Array(0) })),
    },
  ),
  {
    name: 'light/store-proof',
    form: 'protobuf',
    seeds: proofSeeds,
    bytesMax: 64 * KIB,
    read: verify,
    documented: codes('decode', 'light.proof'),
  },
  {
    name: 'genesis/document',
    form: 'json',
    seeds: [utf8(encodeGenesis(document))],
    bytesMax: 64 * KIB,
    read: (bytes) => {
      const read = parseGenesis(fromUtf8(bytes));
      return () => utf8(encodeGenesis(read));
    },
    documented: codes('decode', 'genesis'),
  },
];
