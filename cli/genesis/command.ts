/** `openledgerd genesis`: makes and checks genesis files, as the SDK's tools do. */
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { defaultHome } from '../defaults.ts';
import type { Terminal } from '../terminal.ts';
import type { KeyringBackend } from '../wallet/keyring.ts';

interface HomeOption {
  readonly home: string;
}

interface KeyOptions extends HomeOption {
  readonly keyringBackend: KeyringBackend;
  readonly passphraseFile?: string;
}

interface AddOptions extends KeyOptions {
  readonly append?: boolean;
  readonly vestingAmount?: string;
  readonly vestingStartTime?: string;
  readonly vestingEndTime?: string;
}

interface GenTxOptions extends KeyOptions {
  readonly moniker?: string;
  readonly identity: string;
  readonly website: string;
  readonly securityContact: string;
  readonly details: string;
  readonly commissionRate: string;
  readonly commissionMaxRate: string;
  readonly commissionMaxChangeRate: string;
  readonly minSelfDelegation: string;
  readonly ip: string;
  readonly outputDocument?: string;
}

/** Adds the commands. */
export function addGenesisCommand(program: Command, terminal: Terminal): void {
  const genesis = program.command('genesis').description('make and check genesis files');
  addValidate(genesis, terminal);
  addAccount(genesis, terminal);
  addGenTx(genesis, terminal);
  addCollect(genesis, terminal);
}

function addValidate(genesis: Command, terminal: Terminal): void {
  genesis
    .command('validate [file]')
    .description('check a genesis file (default: that of the home), and start its chain in memory')
    .option('--home <dir>', 'home of the node', defaultHome())
    .action(async (file: string | undefined, options: HomeOption) => {
      const { readGenesisFile } = await import('../home/genesis-file.ts');
      const { tryGenesis } = await import('./try.ts');
      const path = file ?? join(options.home, 'config', 'genesis.json');
      const checked = readGenesisFile(path);
      const validators = tryGenesis(path, checked);
      const { chainId, initialHeight } = checked.document;
      terminal.out(
        `${path} is valid: chain ${chainId}, ${validators} validator(s), starts at height ${initialHeight}\n`,
      );
      for (const warning of checked.warnings) terminal.note(`warning: ${warning}`);
    });
}

function addAccount(genesis: Command, terminal: Terminal): void {
  withKeyring(genesis.command('add-genesis-account <address-or-key> <coins>'))
    .description('give an account coins at genesis')
    .option('--append', 'add the coins to an account that is there already')
    .option('--vesting-amount <coins>', 'part of the coins that is not free at once')
    .option('--vesting-start-time <seconds>', 'since 1970: from then on it becomes free bit by bit')
    .option('--vesting-end-time <seconds>', 'since 1970: then all of it is free')
    .action(async (whom: string, coins: string, options: AddOptions) => {
      const { addGenesisAccount } = await import('./account.ts');
      const address = addGenesisAccount({ ...options, whom, coins, append: options.append === true });
      terminal.note(`${address} has ${coins} more at genesis`);
    });
}

function addGenTx(genesis: Command, terminal: Terminal): void {
  withKeyring(genesis.command('gentx <key> <amount>'))
    .description("make the genesis transaction that makes this home's node a validator")
    .option('--moniker <name>', 'name of the validator (default: that of the node)')
    .option('--identity <text>', 'identity signature, such as of Keybase', '')
    .option('--website <url>', 'website', '')
    .option('--security-contact <text>', 'whom to tell of vulnerabilities', '')
    .option('--details <text>', 'more about the validator', '')
    .option('--commission-rate <rate>', 'what it keeps of the rewards of its delegators', '0.1')
    .option('--commission-max-rate <rate>', 'the highest that can ever be', '0.2')
    .option('--commission-max-change-rate <rate>', 'how much it may rise in a day', '0.01')
    .option('--min-self-delegation <amount>', 'what the operator must keep delegated', '1')
    .option(
      '--ip <address>',
      'where peers reach the node; its port is that of its configuration',
      '127.0.0.1',
    )
    .option('--output-document <file>', 'where to write it (default: config/gentx of the home)')
    .action(async (key: string, amount: string, options: GenTxOptions) => {
      const { makeGenTx } = await import('./gentx.ts');
      const { passphraseOf } = await import('../keys.ts');
      const passphrase = await passphraseOf(options, terminal);
      const file = await makeGenTx({ ...options, key, amount, passphrase });
      terminal.note(`Genesis transaction written to "${file}"`);
    });
}

function addCollect(genesis: Command, terminal: Terminal): void {
  genesis
    .command('collect-gentxs')
    .alias('collect')
    .description("put all genesis transactions into the home's genesis, and their nodes into its peers")
    .option('--home <dir>', 'home of the node', defaultHome())
    .option('--gentx-dir <dir>', 'where they are (default: config/gentx of the home)')
    .action(async (options: HomeOption & { readonly gentxDir?: string }) => {
      const { collectGenTxs } = await import('./collect.ts');
      const { file, validators, peers, warnings } = collectGenTxs(options);
      terminal.note(`${file} has ${validators} validator(s); ${peers} of their nodes are persistent peers`);
      for (const warning of warnings) terminal.note(`warning: ${warning}`);
    });
}

function withKeyring(command: Command): Command {
  return command
    .option('--home <dir>', 'home of the node', defaultHome())
    .addOption(
      new Option('--keyring-backend <backend>', 'keyring of the home')
        .choices(['file', 'test'])
        .default('file'),
    )
    .option('--passphrase-file <file>', 'read the passphrase from the first line of a file');
}
