/**
 * Makes a devnet in its place. The state machine, which the genesis is made of, is loaded last: what shall
 * start meanwhile does.
 */
import { join } from 'node:path';
import { makeFolder } from '../home/folder.ts';
import {
  filesOfSettings,
  nodeName,
  removeFiles,
  removeInventory,
  requirePlace,
  writeInventory,
} from './inventory.ts';
import type { DevnetRecord } from './record.ts';
import type { DevnetSettings } from './settings.ts';

/** What a devnet is made of. */
export interface DevnetPlan {
  /** Absolute. */
  readonly home: string;
  readonly settings: DevnetSettings;
  /** Of the first account; a random one when it is not given. */
  readonly mnemonic?: string | undefined;
  /** Addresses that get money without being listed: a benchmark's senders. */
  readonly extraAccounts?: readonly string[];
  /** Files of a devnet that was there, under the home: deleted first. */
  readonly replaced?: readonly string[];
  readonly now: Date;
  /** Called when nodes' homes are there, still empty: absolute. */
  readonly placed?: (homes: readonly string[]) => void;
}

/**
 * Makes the homes, keys and genesis of a devnet. Wherever it is cut off, the inventory says what was being
 * made; when it fails, that is deleted again.
 * @throws LedgerError `devnet.foreign` when what it makes is there already, `keys.mnemonic`
 */
export async function createDevnet(plan: DevnetPlan): Promise<DevnetRecord> {
  const { home, settings, replaced = [] } = plan;
  const files = filesOfSettings(settings);
  requirePlace(home, { files, replaced });
  makeFolder(home);
  writeInventory(home, { state: 'making', files: [...new Set([...replaced, ...files])] });
  removeFiles(home, replaced);
  try {
    const homes = Array.from({ length: settings.validators }, (_, i) => join(home, nodeName(i)));
    for (const folder of homes) makeFolder(folder);
    plan.placed?.(homes);
    const { makeDevnet } = await import('./make.ts');
    const record = await makeDevnet(plan);
    writeInventory(home, { state: 'made', files });
    return record;
  } catch (error) {
    removeFiles(home, files);
    removeInventory(home);
    throw error;
  }
}
