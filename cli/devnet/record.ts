/**
 * `devnet.json` in the home of a devnet: what it is made of, for the next start and for tools such as the
 * demo.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LedgerError, messageOf } from '../../core/errors.ts';
import { systemCode } from '../failure.ts';
import { readInventory } from './inventory.ts';

/** One validator. */
export interface DevnetNode {
  readonly moniker: string;
  readonly home: string;
  /** Process number; 0 when it is not running. */
  readonly pid: number;
  /** URL of the RPC. */
  readonly rpc: string;
  /** Multiaddr with peer id. */
  readonly p2p: string;
  /**
   * Address of the validator: `…valoper1…`. Its key is in the devnet's keyring under the node's name. Missing in
   * a devnet of before there was staking.
   */
  readonly operator?: string;
}

/** A prefunded account. */
export interface DevnetAccount {
  readonly name: string;
  readonly address: string;
  readonly mnemonic: string;
}

/** The whole file; keys as they are written. */
export interface DevnetRecord {
  readonly version: 1;
  readonly chain_id: string;
  readonly prefix: string;
  readonly denom: string;
  readonly block_time_ms: number;
  /** As asked for: 0 is any free port. */
  readonly rpc_port: number;
  readonly nodes: readonly DevnetNode[];
  readonly accounts: readonly DevnetAccount[];
}

const RECORD_VERSION = 1;

/** Where the record of a home is. */
export function recordPath(home: string): string {
  return join(home, 'devnet.json');
}

/**
 * The record of a home; undefined when there is none.
 * @throws LedgerError `devnet.record`
 */
export function readRecord(home: string): DevnetRecord | undefined {
  const path = recordPath(home);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch (cause) {
    throw damaged(home, `it is not JSON (${messageOf(cause)})`);
  }
  if (!isRecord(record)) throw damaged(home, 'it lacks what a devnet is made of');
  if (record.version !== RECORD_VERSION) {
    throw damaged(
      home,
      `it has version ${String(record.version)}, and this program writes ${RECORD_VERSION}`,
    );
  }
  return record;
}

/** Replaces the record; only its owner can read it, because it holds mnemonics. */
export function writeRecord(home: string, record: DevnetRecord): void {
  const temporary = `${recordPath(home)}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(record, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(temporary, recordPath(home));
}

function isRecord(value: unknown): value is DevnetRecord {
  if (typeof value !== 'object' || value === null) return false;
  const has = (name: string, type: string): boolean =>
    name in value && typeof Reflect.get(value, name) === type;
  return (
    ['chain_id', 'prefix', 'denom'].every((name) => has(name, 'string')) &&
    ['version', 'block_time_ms', 'rpc_port'].every((name) => has(name, 'number')) &&
    ['nodes', 'accounts'].every((name) => Array.isArray(Reflect.get(value, name)))
  );
}

function damaged(home: string, why: string): LedgerError {
  const path = recordPath(home);
  // Without an inventory nothing says what a devnet made there, and --reset deletes nothing.
  const advice =
    readInventory(home) === undefined
      ? 'restore it, or choose another --home'
      : 'restore it, or start the devnet afresh with --reset';
  return new LedgerError('devnet.record', `${path} cannot be used: ${why}; ${advice}`, { path });
}
