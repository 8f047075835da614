/** A node that lies in state sync: about which snapshots it has, and in what they are made of. */
import { concatBytes } from '../../../core/bytes.ts';
import { LedgerError } from '../../../core/errors.ts';
import { sha256 } from '../../../core/hash.ts';
import type { SnapshotApplication } from '../../../node/application.ts';
import type { Snapshot } from '../../../proto/gen/tendermint/abci/types.ts';
import { ByteReader } from '../../../store/byte-stream.ts';
import type { MachineOptions } from '../machine.ts';
import type { LightLie } from '../servers.ts';

/** How it lies. */
export const SNAPSHOT_LIES = [
  'makes up a state',
  'makes up a later state',
  'changes chunks',
  'offers what is not there',
  'never delivers',
  'has lost the chunks',
  'makes up a state, delivers one chunk and is mute',
  'makes up a state and refuses its chunks',
] as const;

/** One of them. */
export type SnapshotLie = (typeof SNAPSHOT_LIES)[number];

/** Those who make up a state of a later height: nobody else offers it. */
const LATER_LIES: readonly SnapshotLie[] = [
  'makes up a later state',
  'makes up a state, delivers one chunk and is mute',
  'makes up a state and refuses its chunks',
];
const OFTEN_PERCENT = 50;
const LATER = 2n;
const MUCH_LATER = 1_000n;

/** What a liar lies about, and whether in every answer. */
export interface SnapshotLiar {
  readonly snapshotLie: SnapshotLie;
  readonly lightLie?: LightLie | undefined;
  readonly liesNowAndThen: boolean;
}

/** A machine with a liar on it. */
export function snapshotLiar(
  { snapshotLie, lightLie, liesNowAndThen }: SnapshotLiar,
  { name, keySeed }: Pick<MachineOptions, 'name' | 'keySeed'>,
): MachineOptions {
  return {
    name,
    keySeed,
    isHonest: false,
    liesNowAndThen,
    ...(lightLie === undefined ? {} : { lightLie }),
    application: (application, { ports }) => {
      const { snapshots } = application;
      if (snapshots === undefined) return application;
      const { random } = ports.scheduler;
      const liesNow = (): boolean => !liesNowAndThen || random.percent(OFTEN_PERCENT);
      return { ...application, snapshots: lying(snapshotLie, snapshots, liesNow) };
    },
  };
}

function lying(lie: SnapshotLie, honest: SnapshotApplication, liesNow: () => boolean): SnapshotApplication {
  const isLater = LATER_LIES.includes(lie);
  const served = (request: Parameters<SnapshotApplication['loadSnapshotChunk']>[0]): Promise<Uint8Array> =>
    honest.loadSnapshotChunk(request).then(({ chunk }) => chunk);
  const falseSnapshot = async (snapshot: Snapshot): Promise<Snapshot> => {
    const { height, format, chunks } = snapshot;
    if (!liesNow()) return snapshot;
    if (lie === 'offers what is not there') return { ...snapshot, height: height + MUCH_LATER };
    if (lie !== 'makes up a state' && !isLater) return snapshot;
    const hashes: Uint8Array[] = [];
    for (let chunk = 0; chunk < chunks; chunk++)
      hashes.push(sha256(falseChunk(await served({ height, format, chunk }))));
    const metadata = concatBytes(...hashes);
    const claimed = isLater ? height + LATER : height;
    return { ...snapshot, height: claimed, hash: sha256(metadata), metadata };
  };
  return {
    offerSnapshot: (request) => honest.offerSnapshot(request),
    applySnapshotChunk: (request) => honest.applySnapshotChunk(request),
    async listSnapshots() {
      const { snapshots } = await honest.listSnapshots();
      return { snapshots: await Promise.all(snapshots.map(falseSnapshot)) };
    },
    async loadSnapshotChunk(request) {
      if (!liesNow()) return honest.loadSnapshotChunk(request);
      if (lie === 'never delivers') return new Promise<never>(() => undefined);
      if (lie === 'has lost the chunks') return { chunk: new Uint8Array(0) };
      if (lie === 'makes up a state, delivers one chunk and is mute' && request.chunk > 0)
        return new Promise<never>(() => undefined);
      if (lie === 'makes up a state and refuses its chunks')
        throw new LedgerError('simulation.refused', 'no chunks today');
      const height = isLater ? request.height - LATER : request.height;
      return { chunk: falseChunk(await served({ ...request, height })) };
    },
  };
}

/** As `store/snapshot.ts` has them. */
const LEAF = 0;
const STORE = 2;

/** The chunk with another last byte in its last value: a state of the same shape. */
function falseChunk(chunk: Uint8Array): Uint8Array {
  const reader = new ByteReader(chunk);
  let end = 0;
  while (!reader.done) {
    const kind = reader.uvarint();
    if (kind === STORE) reader.bytes();
    else reader.uvarint(); // the version
    if (kind !== LEAF) continue;
    reader.bytes(); // the key
    if (reader.bytes().length > 0) end = reader.offset;
  }
  const changed = Uint8Array.from(chunk);
  if (end > 0) changed[end - 1] = (changed[end - 1] ?? 0) ^ 1;
  return changed;
}
