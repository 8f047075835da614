/** What a start does with a home: it continues the devnet there, makes one, or refuses. Nothing is changed here. */
import { readdirSync } from 'node:fs';
import { LedgerError } from '../../core/errors.ts';
import { systemCode, usageError } from '../failure.ts';
import {
  filesOfRecord,
  filesOfSettings,
  type Inventory,
  isTrace,
  readInventory,
  requirePlace,
} from './inventory.ts';
import { type DevnetRecord, readRecord, recordPath } from './record.ts';
import { type DevnetOptions, type DevnetSettings, settingsFor } from './settings.ts';

/** What a start will do. */
export interface DevnetStart {
  readonly settings: DevnetSettings;
  /** The devnet that continues; undefined: one is made. */
  readonly record: DevnetRecord | undefined;
  /** What a devnet made under the home, in this life or one before: deleted if one is made. */
  readonly own: readonly string[];
}

const NAMES_SHOWN = 3;

/**
 * Decides by what is there.
 * @throws LedgerError `cli.usage`, `devnet.other`, `devnet.record`, `devnet.foreign`: nothing has been created or
 * deleted then
 */
export function planStart(options: DevnetOptions, home: string): DevnetStart {
  const inventory = readInventory(home);
  if (!options.reset && inventory?.state !== 'making') {
    const record = readRecord(home);
    if (record !== undefined)
      return { settings: settingsFor(options, record), record, own: filesOfRecord(record) };
    if (inventory !== undefined) throw lostRecord(home);
  }
  const settings = settingsFor(options, undefined);
  const own = ownFiles(home, inventory);
  if (own === undefined) refuseOthers(home, options.reset);
  requirePlace(home, { files: filesOfSettings(settings), replaced: own ?? [] });
  return { settings, record: undefined, own: own ?? [] };
}

/** What devnets made in a home; undefined when nothing says that there was one. */
function ownFiles(home: string, inventory: Inventory | undefined): readonly string[] | undefined {
  let record: DevnetRecord | undefined;
  try {
    record = readRecord(home);
  } catch (error) {
    if (inventory === undefined) throw error;
  }
  if (inventory === undefined && record === undefined) return undefined;
  const recorded = record === undefined ? [] : filesOfRecord(record);
  return [...new Set([...recorded, ...(inventory?.files ?? [])])];
}

/** A new devnet has its folder for itself. */
function refuseOthers(home: string, reset: boolean): void {
  const others = namesIn(home).filter((name) => !isTrace(name));
  if (others.length === 0) return;
  if (reset) {
    throw usageError(
      `${home} is not the home of a devnet, so --reset does not delete it; choose another --home`,
    );
  }
  const shown = others.slice(0, NAMES_SHOWN).join(', ');
  const more = others.length > NAMES_SHOWN ? ` and ${others.length - NAMES_SHOWN} more` : '';
  throw new LedgerError(
    'devnet.foreign',
    `${home} is not the home of a devnet and not empty (${shown}${more}); ` +
      'name an empty folder, or one that does not exist, with --home',
  );
}

function lostRecord(home: string): LedgerError {
  return new LedgerError(
    'devnet.record',
    `${recordPath(home)} is missing, without which the devnet there cannot continue; ` +
      'restore it, or start afresh with --reset',
  );
}

function namesIn(home: string): readonly string[] {
  try {
    return readdirSync(home);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []; // not there yet
    throw error;
  }
}
