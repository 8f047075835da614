/**
 * Looks at a log and mends it while no node has it open: what the `wal` commands of the binary do. Nothing is
 * ever thrown away: what a repair takes out of the log stays beside it.
 */
import { fromUint64BigEndian } from '../../core/bytes.ts';
import type { WalFiles } from './files.ts';
import {
  type Damage,
  FILE_HEADER_BYTES,
  readRecords,
  recordBytes,
  SYNCED_TYPE,
  saltOf,
  type WalRecord,
} from './record.ts';
import { END_HEIGHT_TYPE } from './wal.ts';

/** Ending of the files that a repair leaves beside the log. */
export const SET_ASIDE_SUFFIX = '.set-aside';

/** One file of a log. */
export interface WalFileReport {
  readonly name: string;
  readonly bytes: number;
  readonly records: number;
  /** Heights of the first and the last end-height marker in the file. */
  readonly endHeights: { readonly first: bigint; readonly last: bigint } | undefined;
  readonly damage: Damage | undefined;
}

/** A record and where it begins. */
export interface PlacedRecord {
  readonly file: string;
  readonly offset: number;
  readonly record: WalRecord;
}

/** What a repair did, or would do. */
export interface WalRepair {
  /** Of what kind the first damage is. */
  readonly kind: Damage['kind'];
  /** The damaged file, what was kept of it, and how many bytes were set aside. */
  readonly cut: { readonly name: string; readonly keptBytes: number; readonly asideBytes: number };
  /** Files behind the damaged one, set aside whole. */
  readonly asideFiles: readonly string[];
  /** Last height whose end the mended log knows. */
  readonly lastEndHeight: bigint | undefined;
}

/** Describes every file, oldest first. */
export function inspectWal(files: WalFiles): readonly WalFileReport[] {
  const names = files.list();
  return names.map((name) => {
    const report = reportOf(name, files.read(name));
    // Only a file that was synced is followed by another.
    const isCorrupt = report.damage?.kind === 'torn' && name !== names.at(-1);
    return isCorrupt ? { ...report, damage: { ...report.damage, kind: 'corrupt' } } : report;
  });
}

/** All good records in order; of a damaged file those before the damage. */
export function* recordsOf(files: WalFiles): Generator<PlacedRecord> {
  for (const file of files.list()) {
    let offset = FILE_HEADER_BYTES;
    for (const record of readRecords(files.read(file)).records) {
      if (record.type !== SYNCED_TYPE) yield { file, offset, record };
      offset += recordBytes(record);
    }
  }
}

/** What `repairWal` would do about the first damage; undefined when the log is whole. */
export function planRepair(files: WalFiles): WalRepair | undefined {
  const reports = inspectWal(files);
  const at = reports.findIndex(({ damage }) => damage !== undefined);
  const damaged = reports[at];
  if (damaged?.damage === undefined) return undefined;
  const after = reports.slice(at + 1);
  const isNeeded = after.every(({ endHeights }) => endHeights === undefined);
  const kept = isNeeded ? reports.slice(0, at + 1) : reports;
  const hasHeader = saltOf(files.read(damaged.name)) !== undefined;
  const keptBytes = hasHeader ? Math.max(damaged.damage.offset, FILE_HEADER_BYTES) : 0;
  return {
    kind: damaged.damage.kind,
    cut: { name: damaged.name, keptBytes, asideBytes: damaged.bytes - keptBytes },
    asideFiles: isNeeded ? after.map(({ name }) => name) : [],
    lastEndHeight: kept.findLast(({ endHeights }) => endHeights !== undefined)?.endHeights?.last,
  };
}

/**
 * Cuts the log at its first damage. What follows is moved to files that end in `SET_ASIDE_SUFFIX`: the rest
 * of the file, and the files behind it unless they hold an end of a height, for then nothing needs the
 * damaged one.
 */
export function repairWal(files: WalFiles): WalRepair | undefined {
  const repair = planRepair(files);
  if (repair === undefined) return undefined;
  // The newest file first: a crash in between leaves a log that is still damaged at the same place.
  for (const name of repair.asideFiles.toReversed()) setAside(files, name, 0);
  setAside(files, repair.cut.name, repair.cut.keptBytes);
  return repair;
}

function setAside(files: WalFiles, name: string, from: number): void {
  files.keep(`${name}${SET_ASIDE_SUFFIX}`, files.read(name).subarray(from));
  if (from === 0) files.remove(name);
  else files.truncate(name, from);
}

function reportOf(name: string, bytes: Uint8Array): WalFileReport {
  const { records, damage } = readRecords(bytes);
  const ends = records.filter(({ type }) => type === END_HEIGHT_TYPE);
  const [first, last] = [ends[0], ends.at(-1)];
  return {
    name,
    bytes: bytes.length,
    records: records.filter(({ type }) => type !== SYNCED_TYPE).length,
    endHeights:
      first === undefined || last === undefined
        ? undefined
        : { first: fromUint64BigEndian(first.payload), last: fromUint64BigEndian(last.payload) },
    damage,
  };
}
