/** The write-ahead log as it is found after a crash: damaged anywhere, and holding bytes of peers. */
import { concatBytes } from '../../../core/bytes.ts';
import { inputRecord, partRecord, readRecord } from '../../../node/engine/wal-codec.ts';
import { testBlock, testCommit, testProposal, testVote } from '../../../node/gossip/testing.ts';
import { encodeRecord, fileHeader, readRecords, saltOf } from '../../../node/wal/record.ts';
import type { Target } from '../target.ts';
import { isDecodeError } from './vectors.ts';

const SALT = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const { blockId, parts } = testBlock(3n, 1);
const at = { height: 3n, round: 1 };
const records = [
  inputRecord({ kind: 'proposal', proposal: testProposal(3n, 1) }),
  inputRecord({ kind: 'signedVote', vote: testVote(3n, 1, 'prevote', 2) }),
  inputRecord({ kind: 'value', validity: 'accepted', height: 3n, blockId }),
  inputRecord({ kind: 'proposeValue', ...at, blockId }),
  inputRecord({ kind: 'timeoutElapsed', timeout: { kind: 'prevote', ...at } }),
  inputRecord({ kind: 'decidedBySync', commit: testCommit(3n, 1) }),
];
const lastPart = parts.slice(-1).map((part) => partRecord(part));
const file = concatBytes(fileHeader(SALT), ...records.map((record) => encodeRecord(record, SALT)));

export const LOG_TARGETS: readonly Target[] = [
  {
    name: 'wal/file',
    form: 'bytes',
    seeds: [file, file.subarray(0, 500), fileHeader(SALT)],
    bytesMax: 32 * 1024,
    read: (bytes) => {
      const { records: read, damage } = readRecords(bytes);
      const salt = saltOf(bytes);
      if (salt === undefined) return undefined;
      const good = concatBytes(fileHeader(salt), ...read.map((record) => encodeRecord(record, salt)));
      if (damage !== undefined && damage.offset !== good.length)
        throw new RangeError('wrong place of damage');
      return () => good;
    },
    documented: () => false,
  },
  {
    name: 'wal/record',
    form: 'protobuf',
    // The type of the record as a field in front, so that changes reach it.
    seeds: [...records, ...lastPart].map(({ type, payload }) => concatBytes(Uint8Array.of(8, type), payload)),
    bytesMax: 64 * 1024,
    read: (bytes) => {
      const item = readRecord({ type: bytes[1] ?? 0, payload: bytes.subarray(2) });
      return () => {
        const { type, payload } = item.kind === 'part' ? partRecord(item.part) : inputRecord(item.input);
        return concatBytes(Uint8Array.of(8, type), payload);
      };
    },
    documented: isDecodeError,
  },
];
