/** An account of the keyring at a node: what attestors and watchers send by. */
import { DirectSecp256k1Wallet, type EncodeObject } from '@cosmjs/proto-signing';
import type { IndexedTx, SigningStargateClient } from '@cosmjs/stargate';
import type { Command } from 'commander';
import { Option } from 'commander';
import { type Connection, connect } from '../../client/index.ts';
import { systemTimers, type Timers } from '../../attest/watch/asking.ts';
import { LedgerError } from '../../core/errors.ts';
import { DEFAULT_DENOM, DEFAULT_PREFIX, DEFAULT_RPC_URL, defaultHome } from '../defaults.ts';
import { usageError } from '../failure.ts';
import { checkForm, PREFIX_FORM } from '../forms.ts';
import { passphraseOf } from '../keys.ts';
import { NodeRpc } from './node-rpc.ts';
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
    return await connect(new NodeRpc(url), { gasPrice: gasPrices });
  } catch (cause) {
    throw new LedgerError(
      'attest.chain',
      `cannot reach a node at ${url}; name its RPC with --node`,
      {},
      cause,
    );
  }
}

/** Blocks in which a transaction has its place, or is void. */
const BLOCKS_MAX = 20;

/** Looks for it, a pause before each, while the chain has no new block: then it stands still. */
const STILL_LOOKS_MAX = 300;
const LOOK_PAUSE_MS = 200;

/** An account that signs, one transaction after another. */
export class Account {
  readonly address: string;
  readonly #client: SigningStargateClient;
  readonly #timers: Timers;
  #last: Promise<unknown> = Promise.resolve();

  constructor(address: string, client: SigningStargateClient, timers: Timers = systemTimers) {
    this.address = address;
    this.#client = client;
    this.#timers = timers;
  }

  /**
   * Simulates, signs, broadcasts and waits until it is in a block.
   * @throws LedgerError `attest.refused` with the chain's words, a message that would fail costs nothing;
   * `attest.dropped` when it is in none in time: it may be sent again
   */
  send(messages: readonly EncodeObject[]): Promise<IndexedTx> {
    const sent = this.#last.then(() => this.#send(messages));
    this.#last = sent.catch(() => undefined);
    return sent;
  }

  async #send(messages: readonly EncodeObject[]): Promise<IndexedTx> {
    const first = await this.#client.getHeight();
    const last = first + BLOCKS_MAX;
    const hash = await this.#client.signAndBroadcastSync(this.address, messages, 'auto', '', BigInt(last));
    const found = await this.#inBlock(hash, { first, last });
    if (found.code !== 0) throw new LedgerError('attest.refused', `the chain refused: ${found.rawLog}`);
    return found;
  }

  /**
   * A mempool may drop what it took: then the block after the last one tells that it never comes. However
   * slow blocks are it is waited for, so that it is not sent twice; but not at a chain that stands still.
   */
  async #inBlock(
    hash: string,
    { first, last }: { readonly first: number; readonly last: number },
  ): Promise<IndexedTx> {
    let highest = first;
    for (let stillLooks = 0; highest <= last && stillLooks < STILL_LOOKS_MAX; stillLooks++) {
      await new Promise<void>((resolve) => void this.#timers.after(LOOK_PAUSE_MS, resolve));
      // First the height: what was in a block by then is found.
      const height = await this.#client.getHeight();
      const found = await this.#client.getTx(hash);
      if (found !== null) return found;
      if (height > highest) {
        highest = height;
        stillLooks = 0;
      }
    }
    throw new LedgerError('attest.dropped', `transaction ${hash} is in no block up to ${last}`, { hash });
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
