/** `openledgerd keys`: account keys in the keyring of a home. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { toBase64, toHex } from '../core/bytes.ts';
import { DEFAULT_PREFIX, defaultHome } from './defaults.ts';
import { systemCode, usageError } from './failure.ts';
import { checkForm, PREFIX_FORM } from './forms.ts';
import type { Terminal } from './terminal.ts';
import type { KeyEntry, Keyring, KeyringBackend } from './wallet/keyring.ts';

interface KeysOptions {
  readonly home: string;
  readonly keyringBackend: KeyringBackend;
  readonly prefix?: string;
  readonly output: 'text' | 'json';
  readonly passphraseFile?: string;
}

interface AddOptions extends KeysOptions {
  readonly recover?: boolean;
  readonly hdPath?: string;
}

/** A key as it is printed. */
interface PrintedKey {
  readonly name: string;
  readonly type: 'local';
  readonly address: string;
  /** Base64 of the compressed key. */
  readonly pubkey: string;
  readonly mnemonic?: string;
}

/** Adds the commands. */
export function addKeysCommand(program: Command, terminal: Terminal): void {
  const keys = program.command('keys').description('manage account keys');
  withOptions(keys.command('add <name>'))
    .description('make a new key, or bring one back with --recover')
    .option('--recover', 'read the mnemonic from standard input')
    .option('--hd-path <path>', "derivation path, 44'/118'/0'/0/0 by default")
    .action((name: string, options: AddOptions) => addKey(name, options, terminal));
  withOptions(keys.command('recover <name>'))
    .description('bring a key back from its mnemonic, read from standard input')
    .option('--hd-path <path>', "derivation path, 44'/118'/0'/0/0 by default")
    .action((name: string, options: AddOptions) => addKey(name, { ...options, recover: true }, terminal));
  withOptions(keys.command('list'))
    .description('list all keys')
    .action(async (options: KeysOptions) => {
      const keyring = await openKeyring(options);
      if (keyring.list().length === 0)
        terminal.note(
          `there are no keys in the ${options.keyringBackend} keyring of ${options.home}; ` +
            'make one with "keys add <name>", or name another --home or --keyring-backend',
        );
      const printed = await Promise.all(keyring.list().map((entry) => describeKey(entry, options)));
      if (options.output === 'json') terminal.out(`${JSON.stringify(printed, undefined, 2)}\n`);
      else for (const key of printed) printKey(key, options, terminal);
    });
  withOptions(keys.command('show <name>'))
    .description('print a key')
    .option('-a, --address', 'print the address only')
    .action(async (name: string, options: KeysOptions & { readonly address?: boolean }) => {
      const key = await describeKey((await openKeyring(options)).find(name), options);
      if (options.address === true) terminal.out(`${key.address}\n`);
      else printKey(key, options, terminal);
    });
  withOptions(keys.command('export <name>'))
    .description('print the private key in hexadecimal')
    .requiredOption('--unsafe', 'yes, I know that whoever sees it owns the account')
    .action(async (name: string, options: KeysOptions) => {
      const keyring = await openKeyring(options);
      keyring.find(name);
      const passphrase = keyring.sealed ? await passphraseFor(options, terminal) : undefined;
      terminal.out(`${toHex(keyring.open(name, passphrase).privateKey)}\n`);
    });
  withOptions(keys.command('delete <name>'))
    .description('delete a key')
    .option('-y, --yes', 'do not ask')
    .action(async (name: string, options: KeysOptions & { readonly yes?: boolean }) => {
      const keyring = await openKeyring(options);
      keyring.find(name);
      if (options.yes !== true) {
        const answer = await terminal.ask(`Type "${name}" to delete the key for ever: `);
        if (answer.trim() !== name) throw usageError(`key "${name}" was not deleted`);
      }
      keyring.delete(name);
      terminal.note(`key "${name}" is deleted`);
    });
}

function withOptions(command: Command): Command {
  return command
    .option('--home <dir>', 'home of the node', defaultHome())
    .addOption(
      new Option(
        '--keyring-backend <backend>',
        'file: sealed with a passphrase; test: in the clear, for development only',
      )
        .choices(['file', 'test'])
        .default('file'),
    )
    .option(
      '--prefix <prefix>',
      `bech32 prefix of addresses (default: that of the chain in the home, or ${DEFAULT_PREFIX})`,
    )
    .addOption(new Option('--output <format>', 'how to print').choices(['text', 'json']).default('text'))
    .option('--passphrase-file <file>', 'read the passphrase from the first line of a file');
}

async function addKey(name: string, options: AddOptions, terminal: Terminal): Promise<void> {
  const { keyOfMnemonic, newMnemonic, normalizeMnemonic, COSMOS_HD_PATH } = await import('./wallet/hd.ts');
  const keyring = await openKeyring(options);
  if (keyring.has(name)) throw usageError(`there is a key named "${name}" already; delete it first`);
  const recover = options.recover === true;
  const mnemonic = recover
    ? normalizeMnemonic(await terminal.ask('Mnemonic: ', { secret: true }))
    : newMnemonic();
  const path = options.hdPath === undefined ? COSMOS_HD_PATH : `m/${options.hdPath.replace(/^m\//, '')}`;
  const key = keyOfMnemonic(mnemonic, path);
  const passphrase = keyring.sealed ? await passphraseFor(options, terminal) : undefined;
  const described = await describeKey(keyring.add(name, key, passphrase), options);
  printKey(recover ? described : { ...described, mnemonic }, options, terminal);
  if (!recover)
    terminal.note(
      'Write the mnemonic down: it is the only way to bring this key back, and it is not stored.',
    );
}

/** The passphrase of a home's keyring; undefined when it needs none. */
export async function passphraseOf(
  options: Pick<KeysOptions, 'keyringBackend' | 'passphraseFile'>,
  terminal: Terminal,
): Promise<string | undefined> {
  return options.keyringBackend === 'test' ? undefined : await passphraseFor(options, terminal);
}

async function passphraseFor(
  options: Pick<KeysOptions, 'passphraseFile'>,
  terminal: Terminal,
): Promise<string> {
  if (options.passphraseFile === undefined) {
    return terminal.ask('Passphrase of the keyring: ', { secret: true });
  }
  try {
    return readFileSync(options.passphraseFile, 'utf8').split('\n')[0] ?? '';
  } catch (error) {
    throw usageError(`cannot read --passphrase-file ${options.passphraseFile} (${systemCode(error)})`);
  }
}

async function openKeyring(options: KeysOptions): Promise<Keyring> {
  checkForm('--prefix', options.prefix, PREFIX_FORM);
  const { Keyring } = await import('./wallet/keyring.ts');
  const { requireFolder } = await import('./home/folder.ts');
  requireFolder(options.home);
  return new Keyring(options.home, options.keyringBackend);
}

async function describeKey(entry: KeyEntry, options: KeysOptions): Promise<PrintedKey> {
  const { accountAddress } = await import('./wallet/hd.ts');
  const prefix = options.prefix ?? (await prefixOfHome(options.home));
  return {
    name: entry.name,
    type: 'local',
    address: accountAddress(prefix, entry.publicKey),
    pubkey: toBase64(entry.publicKey),
  };
}

/** The prefix of the devnet or the chain that lives in a home. */
async function prefixOfHome(home: string): Promise<string> {
  const { readRecord } = await import('./devnet/record.ts');
  const record = readRecord(home);
  if (record !== undefined) return record.prefix;
  const genesis = join(home, 'config', 'genesis.json');
  if (!existsSync(genesis)) return DEFAULT_PREFIX;
  const { readGenesisFile } = await import('./home/genesis-file.ts');
  return readGenesisFile(genesis).prefix;
}

function printKey(key: PrintedKey, options: KeysOptions, terminal: Terminal): void {
  if (options.output === 'json') {
    terminal.out(`${JSON.stringify(key)}\n`);
    return;
  }
  for (const [field, value] of Object.entries(key)) terminal.out(`${`${field}:`.padEnd(10)}${value}\n`);
  terminal.out('\n');
}
