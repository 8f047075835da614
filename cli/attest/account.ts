/** An account of the keyring at a node: what attestors and watchers send by. */
import { DirectSecp256k1Wallet, type EncodeObject } from '@cosmjs/proto-signing';
import type { IndexedTx, SigningStargateClient } from '@cosmjs/stargate';
import type { Command } from 'commander';
import { Option } from 'commander';
import { type Connection, connect } from '../../client/index.ts';
import { LedgerError } from '../../core/errors.ts';
import { DEFAULT_DENOM, DEFAULT_PREFIX, DEFAULT_RPC_URL, defaultHome } from '../defaults.ts';
import { usageError } from '../failure.ts';
import { checkForm, PREFIX_FORM } from '../forms.ts';
import { passphraseOf } from '../keys.ts';
import { rpcUrl } from '../status.ts';
import type { Terminal } from '../terminal.ts';
import type { KeyringBackend } from '../wallet/keyring.ts';

/** Options of commands that speak to a node. */
export interface NodeOptions {
  readonly node: string;
  readonly gasPrices: string;
  readonly from?: string;
  readonly home: string;
  readonly keyringBackend: KeyringBackend;
  readonly passphraseFile?: string;
  readonly prefix: string;
}

/** Adds them to a command. */
export function withNodeOptions(command: Command): Command {
  return command
    .option('--node <url>', 'RPC of a node', DEFAULT_RPC_URL)
    .option('--from <key>', 'key of the keyring that signs')
    .option('--home <dir>', 'home of the keyring', defaultHome())
    .addOption(
      new Option('--keyring-backend <backend>', 'file: sealed with a passphrase; test: in the clear')
        .choices(['file', 'test'])
        .default('file'),
    )
    .option('--passphrase-file <file>', 'read the passphrase from the first line of a file')
    .option('--prefix <prefix>', 'bech32 prefix of addresses', DEFAULT_PREFIX)
    .option('--gas-prices <price>', 'what gas is paid with', `0.001${DEFAULT_DENOM}`);
}

/** Connects to the node of the options. @throws LedgerError `attest.chain` when none answers */
export async function connectTo({
  node,
  gasPrices,
}: Pick<NodeOptions, 'node' | 'gasPrices'>): Promise<Connection> {
  const url = rpcUrl(node);
  try {
    return await connect(url, { gasPrice: gasPrices });
  } catch (cause) {
    throw new LedgerError(
      'attest.chain',
      `cannot reach a node at ${url}; name its RPC with --node`,
      {},
      cause,
    );
  }
}

/** An account that signs, one transaction after another. */
export class Account {
  readonly address: string;
  readonly #client: SigningStargateClient;
  #last: Promise<unknown> = Promise.resolve();

  constructor(address: string, client: SigningStargateClient) {
    this.address = address;
    this.#client = client;
  }

  /**
   * Simulates, signs, broadcasts and waits until it is in a block.
   * @throws LedgerError `attest.refused` with the chain's words; a message that would fail costs nothing
   */
  send(messages: readonly EncodeObject[]): Promise<IndexedTx> {
    const sent = this.#last.then(() => this.#send(messages));
    this.#last = sent.catch(() => undefined);
    return sent;
  }

  async #send(messages: readonly EncodeObject[]): Promise<IndexedTx> {
    const { code, rawLog, transactionHash } = await this.#client.signAndBroadcast(
      this.address,
      messages,
      'auto',
    );
    if (code !== 0) throw new LedgerError('attest.refused', `the chain refused: ${rawLog ?? `code ${code}`}`);
    const found = await this.#client.getTx(transactionHash);
    if (found === null)
      throw new LedgerError('attest.chain', `transaction ${transactionHash} is not indexed`);
    return found;
  }
}

/** The account of the options. @throws LedgerError `cli.usage` without `--from`; `keys.…` */
export async function accountOf(
  options: NodeOptions,
  connection: Connection,
  terminal: Terminal,
): Promise<Account> {
  if (options.from === undefined)
    throw usageError('name the key that signs: --from <key> (keys list shows them)');
  checkForm('--prefix', options.prefix, PREFIX_FORM);
  const { Keyring } = await import('../wallet/keyring.ts');
  const keyring = new Keyring(options.home, options.keyringBackend);
  keyring.find(options.from);
  const { privateKey } = keyring.open(options.from, await passphraseOf(options, terminal));
  const wallet = await DirectSecp256k1Wallet.fromKey(privateKey, options.prefix);
  const [account] = await wallet.getAccounts();
  return new Account(account?.address ?? '', connection.signer(wallet));
}
