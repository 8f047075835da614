/** Reads and checks a genesis file: its own form, then what each module says of its section. */
import { readFileSync } from 'node:fs';
import { validateAppState } from '../../app/genesis.ts';
import { composeModules } from '../../app/modules.ts';
import { fromBech32 } from '../../core/bech32.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import { type JsonValue, JsonReader } from '../../framework/json.ts';
import { type GenesisDocument, parseGenesis } from '../../genesis/document.ts';
import { shortEvidenceAge, stakeMakesValidators } from '../../genesis/stake.ts';
import { DEFAULT_PREFIX } from '../defaults.ts';
import { systemCode } from '../failure.ts';

/** A genesis that was checked. */
export interface CheckedGenesis {
  readonly document: GenesisDocument;
  /** The text as the file holds it. */
  readonly text: string;
  /** Bech32 prefix of the chain's addresses. */
  readonly prefix: string;
  /** What is allowed and dangerous: one sentence each. */
  readonly warnings: readonly string[];
}

/** Largest genesis file that is read. */
const GENESIS_BYTES_MAX = 512 * 1024 * 1024;

/**
 * Reads and checks a file.
 * @throws LedgerError `genesis.file`, `genesis.invalid` with the path inside the document of what is wrong
 */
export function readGenesisFile(file: string): CheckedGenesis {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new LedgerError('genesis.file', `cannot read the genesis ${file}: ${reasonOf(cause)}`);
  }
  if (text.trim() === '') throw new LedgerError('genesis.invalid', `the genesis ${file} is empty`);
  try {
    return checkGenesis(text);
  } catch (cause) {
    throw new LedgerError(
      'genesis.invalid',
      `the genesis ${file} is not valid: ${messageOf(cause)}`,
      {},
      cause,
    );
  }
}

function reasonOf(error: unknown): string {
  switch (systemCode(error)) {
    case 'ENOENT':
      return 'there is no such file';
    case 'EISDIR':
      return 'it is a folder';
    default:
      return messageOf(error);
  }
}

/**
 * Checks the text of a genesis.
 * @throws JsonError naming the path of what is wrong; LedgerError `genesis.invalid`
 */
export function checkGenesis(text: string): CheckedGenesis {
  if (text.length > GENESIS_BYTES_MAX) throw new LedgerError('genesis.invalid', 'it is larger than 512 MiB');
  const document = parseGenesis(text);
  const prefix = prefixOf(document);
  validateAppState(composeModules(prefix).modules, document.appState);
  if (document.validators.length === 0 && !stakeMakesValidators(document)) {
    throw new LedgerError(
      'genesis.invalid',
      'validators: is empty, and neither app_state.staking.validators nor app_state.genutil.gen_txs has any; ' +
        'a chain needs at least one',
    );
  }
  const warning = shortEvidenceAge(document);
  return { document, text, prefix, warnings: warning === undefined ? [] : [warning] };
}

/**
 * The prefix of a chain's addresses: that of the first account. The modules then refuse addresses with
 * another one, so every node of the chain takes the same.
 */
export function prefixOf(document: GenesisDocument): string {
  const appState = new JsonReader(document.appState, 'app_state');
  const accounts = appState.member('auth').member('accounts');
  const balances = appState.member('bank').member('balances');
  for (const list of [accounts, balances]) {
    const address = list.present ? addressIn(list.elements()[0]?.object()) : undefined;
    if (address !== undefined) return fromBech32(address).prefix;
  }
  return DEFAULT_PREFIX;
}

/** The address of an account: its own, or that of the account inside a vesting or module account. */
function addressIn(value: JsonValue | undefined): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const members = Object.entries(value);
  const own = members.find(([name]) => name === 'address')?.[1];
  if (typeof own === 'string') return own;
  const inner = members.find(([name]) => name === 'base_account' || name === 'base_vesting_account')?.[1];
  return inner === undefined ? undefined : addressIn(inner);
}
