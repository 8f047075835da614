/**
 * `genesis collect-gentxs`: from everybody's genesis transaction to the genesis that everybody starts with.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { composeModules } from '../../app/modules.ts';
import { LedgerError } from '../../core/errors.ts';
import { JsonReader, parseJson } from '../../framework/json.ts';
import { withGenTxs } from '../../genesis/edit.ts';
import { type GenTx, genTxFromJson } from '../../modules/genutil/gentx.ts';
import { homePaths } from '../../node/config/home.ts';
import { writeNodeConfig } from '../../node/config/toml.ts';
import { checkGenesis } from '../home/genesis-file.ts';
import { encodeGenesis } from '../../genesis/encode.ts';
import { openGenesis, writeGenesis } from './file.ts';
import { genTxFolder } from './gentx.ts';
import { tryGenesis } from './try.ts';

/** What came of it. */
export interface Collected {
  /** The genesis file. */
  readonly file: string;
  readonly validators: number;
  /** Peers that the home's configuration has now. */
  readonly peers: number;
  /** What is allowed and dangerous in it: one sentence each. */
  readonly warnings: readonly string[];
}

/**
 * Puts the genesis transactions of a folder, in the order of their file names, into the genesis of a home.
 * The validators that the document listed itself are gone then. The nodes that the transactions name become
 * persistent peers, but the home's own. Nothing is written when the chain would not start.
 * @throws LedgerError `genesis.gentx`, `genesis.invalid`, `home.missing`; JsonError naming file and path
 */
export function collectGenTxs(options: { readonly home: string; readonly gentxDir?: string }): Collected {
  const { file, home, document, prefix } = openGenesis(options.home);
  const folder = options.gentxDir ?? genTxFolder(options.home);
  const { addresses, router } = composeModules(prefix);
  const genTxs = jsonFiles(folder).map((name) => {
    const value = parseJson(readFileSync(join(folder, name), 'utf8'), name);
    return genTxFromJson(new JsonReader(value, name), { addresses, router });
  });
  if (genTxs.length === 0)
    throw new LedgerError(
      'genesis.gentx',
      `there are no genesis transactions in ${folder}; make them with gentx`,
    );
  const made = withGenTxs(
    document,
    genTxs.map(({ json }) => json.value ?? null),
  );
  const validators = tryGenesis(file, checkGenesis(encodeGenesis(made)));
  const { warnings } = writeGenesis(file, made);
  const peers = peersOf(genTxs, home.node.base.moniker);
  const node = { ...home.node, p2p: { ...home.node.p2p, persistentPeers: peers } };
  writeFileSync(homePaths(home.home).configFile, writeNodeConfig(node));
  return { file, validators, peers: peers.length, warnings };
}

function jsonFiles(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .sort((a, b) => (a < b ? -1 : 1));
  } catch {
    return []; // said by the caller
  }
}

/** As the SDK: whoever has the same moniker is the node itself. */
function peersOf(genTxs: readonly GenTx[], moniker: string): readonly string[] {
  return genTxs
    .filter(({ message, tx }) => message.description?.moniker !== moniker && tx.memo.includes('@'))
    .map(({ tx }) => tx.memo)
    .sort((a, b) => (a < b ? -1 : 1));
}
