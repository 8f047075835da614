/**
 * `devnet-inventory.json` in the home of a devnet: what the devnet consists of. It is written before the
 * first of it is made, so that a making that was cut off can be told from files of somebody else, and nothing
 * is deleted that no devnet made.
 *
 * | inventory | `devnet.json` | what is there |
 * | --- | --- | --- |
 * | none | none | no devnet: one is made if the folder is empty |
 * | `making` | either | a making, or a deleting before it, that was cut off: it is done again |
 * | `made` or none | valid | a devnet (without an inventory: of before there were any) |
 * | `made` | missing or damaged | a devnet that cannot continue; `--reset` knows what to delete |
 */
import { lstatSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { LedgerError } from '../../core/errors.ts';
import type { DevnetRecord } from './record.ts';
import type { DevnetSettings } from './settings.ts';

/** The whole file. */
export interface Inventory {
  readonly version: 1;
  readonly state: 'making' | 'made';
  /** Files and folders under the home. */
  readonly files: readonly string[];
}

const INVENTORY_FILE = 'devnet-inventory.json';
const RECORD_FILE = 'devnet.json';
const KEYRING_FOLDER = 'keyring-test';
/** What a start that was killed may leave without an inventory, or beside it. */
const TRACES: readonly string[] = ['devnet.lock', `${INVENTORY_FILE}.tmp`, `${RECORD_FILE}.tmp`];
/** Nothing else is believed to be a devnet's, whatever a file says. */
const OWN_FILE = /^(node\d{1,2}|devnet\.json|keyring-test\/[A-Za-z0-9][A-Za-z0-9._-]{0,63}\.json)$/;
const ACCOUNT_NAMES = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi', 'ivan', 'judy'];

/** The name of a prefunded account, in the keyring too. */
export function accountName(index: number): string {
  return ACCOUNT_NAMES[index] ?? `account${index}`;
}

/** The name of a validator, its home and its operator's key. */
export function nodeName(index: number): string {
  return `node${index}`;
}

/** What a devnet with these settings consists of, under its home. */
export function filesOfSettings({
  validators,
  accounts,
}: Pick<DevnetSettings, 'validators' | 'accounts'>): readonly string[] {
  const nodes = Array.from({ length: validators }, (_, i) => nodeName(i));
  return filesOf(
    nodes,
    Array.from({ length: accounts }, (_, i) => accountName(i)),
  );
}

/** What the devnet of a record consists of. */
export function filesOfRecord({ nodes, accounts }: DevnetRecord): readonly string[] {
  return filesOf(
    nodes.map(({ moniker }) => moniker),
    accounts.map(({ name }) => name),
  ).filter((file) => OWN_FILE.test(file));
}

function filesOf(nodes: readonly string[], accounts: readonly string[]): readonly string[] {
  const keys = [...accounts, ...nodes].map((name) => `${KEYRING_FOLDER}/${name}.json`);
  return [RECORD_FILE, ...nodes, ...keys];
}

/** The inventory of a home; undefined when there is none that can be read. */
export function readInventory(home: string): Inventory | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(join(home, INVENTORY_FILE), 'utf8'));
    return isInventory(value)
      ? { ...value, files: value.files.filter((file) => OWN_FILE.test(file)) }
      : undefined;
  } catch {
    return undefined; // missing, or not ours: then nothing in this home counts as made by a devnet
  }
}

/** Replaces the inventory. */
export function writeInventory(home: string, inventory: Omit<Inventory, 'version'>): void {
  const path = join(home, INVENTORY_FILE);
  const temporary = `${path}.tmp`;
  writeFileSync(temporary, `${JSON.stringify({ version: 1, ...inventory }, undefined, 2)}\n`);
  renameSync(temporary, path);
}

/** Takes it back, when what it names is gone again. */
export function removeInventory(home: string): void {
  rmSync(join(home, INVENTORY_FILE), { force: true });
}

/** True for what may lie in the home of a devnet that is still to be made. */
export function isTrace(name: string): boolean {
  return TRACES.includes(name);
}

/**
 * What a devnet is about to make must not be there.
 * @throws LedgerError `devnet.foreign` naming what is
 */
export function requirePlace(
  home: string,
  plan: { readonly files: readonly string[]; readonly replaced: readonly string[] },
): void {
  const taken = plan.files.find((file) => !plan.replaced.includes(file) && exists(join(home, file)));
  if (taken === undefined) return;
  throw new LedgerError(
    'devnet.foreign',
    `${join(home, taken)} exists and no devnet made it, but a new devnet needs its place; ` +
      'move it away, or choose another --home',
  );
}

/** Deletes files of a devnet, and the folder of its keys if no other key is left in it. */
export function removeFiles(home: string, files: readonly string[]): void {
  for (const file of files) rmSync(join(home, file), { recursive: true, force: true });
  for (const folder of new Set(files.map(dirname))) if (folder !== '.') removeIfEmpty(join(home, folder));
}

/** Deletes a folder if nothing is in it. */
export function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // it holds something, or is not there
  }
}

function exists(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false; // what should be a folder above it is a file: making it will say so
  }
}

function isInventory(value: unknown): value is Inventory {
  if (typeof value !== 'object' || value === null) return false;
  if (!('version' in value) || value.version !== 1) return false;
  if (!('state' in value) || (value.state !== 'making' && value.state !== 'made')) return false;
  return (
    'files' in value && Array.isArray(value.files) && value.files.every((each) => typeof each === 'string')
  );
}
