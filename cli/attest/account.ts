/** An account of the keyring at a node: what attestors and watchers send by. */
import { DirectSecp256k1Wallet, type EncodeObject } from '@cosmjs/proto-signing';
import {
  BroadcastTxError,
  calculateFee,
  GasPrice,
  type IndexedTx,
  type SigningStargateClient,
} from '@cosmjs/stargate';
import type { Command } from 'commander';
import { Option } from 'commander';
import { type Connection, connect } from '../../client/index.ts';
import { systemTimers, type Timers } from '../../watch/asking.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import { TxRaw } from '../../proto/gen/cosmos/tx/v1beta1/tx.ts';
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

const DEFAULT_GAS_PRICES = `0.001${DEFAULT_DENOM}`;

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
    .option('--gas-prices <price>', 'what gas is paid with', DEFAULT_GAS_PRICES);
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

/** The gas of a simulation, and so much of it more: what else is in the block may cost a little. */
const GAS_MARGIN = 1.2;

/** How an account pays, and what it waits by. */
export interface AccountOptions {
  /** Such as `0.001uopen`. */
  readonly gasPrices?: string;
  readonly timers?: Timers;
}

/** Messages of one transaction, and the gas that they may use. */
export interface SizedTx {
  readonly messages: readonly EncodeObject[];
  readonly gas: number;
}

/** The blocks in which transactions can come. */
interface Window {
  readonly first: number;
  readonly last: number;
}

/** An account that signs. What is asked of it is done one after another. */
export class Account {
  readonly address: string;
  readonly #client: SigningStargateClient;
  readonly #gasPrice: GasPrice;
  readonly #timers: Timers;
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    address: string,
    client: SigningStargateClient,
    { gasPrices = DEFAULT_GAS_PRICES, timers = systemTimers }: AccountOptions = {},
  ) {
    this.address = address;
    this.#client = client;
    this.#gasPrice = GasPrice.fromString(gasPrices);
    this.#timers = timers;
  }

  /**
   * Simulates, signs, broadcasts and waits until it is in a block.
   * @throws LedgerError `attest.refused` with the chain's words, a message that would fail costs nothing;
   * `attest.dropped` when it is in none in time: it may be sent again
   */
  send(messages: readonly EncodeObject[]): Promise<IndexedTx> {
    return this.#inTurn(() => this.#send(messages));
  }

  /**
   * The gas to send these messages with, by a simulation.
   * @throws LedgerError `attest.refused` with the node's words; `attest.no_answer`
   */
  async simulate(messages: readonly EncodeObject[]): Promise<number> {
    try {
      return Math.ceil((await this.#client.simulate(this.address, messages, '')) * GAS_MARGIN);
    } catch (error) {
      if (error instanceof LedgerError && error.code === 'attest.no_answer') throw error;
      throw new LedgerError('attest.refused', `the chain refuses: ${messageOf(error)}`, {}, error);
    }
  }

  /**
   * Broadcasts transactions, each with the sequence after the one before, and waits until they are in blocks.
   * Of each what became of it: as `send`, but that one which fails takes no other with it. Those behind one
   * of which no node said that it came are not sent.
   */
  sendAll(txs: readonly SizedTx[]): Promise<readonly PromiseSettledResult<IndexedTx>[]> {
    return this.#inTurn(() => this.#sendAll(txs));
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#last.then(task);
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #send(messages: readonly EncodeObject[]): Promise<IndexedTx> {
    const window = await this.#window();
    const timeout = BigInt(window.last);
    const hash = await this.#client.signAndBroadcastSync(this.address, messages, 'auto', '', timeout);
    const [found] = await this.#inBlocks([hash], window);
    return passed(hash, found, window);
  }

  async #sendAll(txs: readonly SizedTx[]): Promise<readonly PromiseSettledResult<IndexedTx>[]> {
    const window = await this.#window();
    const sent = await this.#broadcast(txs, window);
    const hashes = sent.flatMap((each) => (typeof each === 'string' ? [each] : []));
    const found = new Map((await this.#inBlocks(hashes, window)).map((tx, i) => [hashes[i], tx]));
    return await Promise.allSettled(
      sent.map(async (each) => {
        if (typeof each !== 'string') throw each;
        return passed(each, found.get(each), window);
      }),
    );
  }

  async #window(): Promise<Window> {
    const first = await this.#client.getHeight();
    return { first, last: first + BLOCKS_MAX };
  }

  /** Of each its hash, or why it did not come into a mempool. */
  async #broadcast(txs: readonly SizedTx[], { last }: Window): Promise<readonly (string | LedgerError)[]> {
    const chainId = await this.#client.getChainId();
    const { accountNumber, sequence } = await this.#client.getSequence(this.address);
    const sent: (string | LedgerError)[] = [];
    let next = sequence;
    let lost: LedgerError | undefined;
    for (const { messages, gas } of txs) {
      if (lost !== undefined) {
        sent.push(lost);
        continue;
      }
      const fee = calculateFee(gas, this.#gasPrice);
      const signer = { accountNumber, sequence: next, chainId };
      const signed = await this.#client.sign(this.address, messages, fee, '', signer, BigInt(last));
      try {
        sent.push(await this.#client.broadcastTxSync(TxRaw.encode(signed)));
        next++;
      } catch (error) {
        const isRefused = error instanceof BroadcastTxError;
        const failure = broadcastFailure(error, isRefused);
        sent.push(failure);
        if (!isRefused) lost = failure;
      }
    }
    return sent;
  }

  /**
   * The transactions that are in blocks: they can only come in the order of their sequences, so as many as
   * are found, of the first ones. A mempool may drop what it took: then the block after the last one tells
   * that it never comes. However slow blocks are it is waited for, so that it is not sent twice; but not at
   * a chain that stands still.
   */
  async #inBlocks(hashes: readonly string[], { first, last }: Window): Promise<readonly IndexedTx[]> {
    const found: IndexedTx[] = [];
    let highest = first;
    let stillLooks = 0;
    let isPauseDue = true;
    for (const hash of hashes) {
      for (let tx: IndexedTx | null = null; tx === null; ) {
        if (isPauseDue) await new Promise<void>((resolve) => void this.#timers.after(LOOK_PAUSE_MS, resolve));
        // First the height: what was in a block by then is found.
        const height = await this.#client.getHeight();
        tx = await this.#client.getTx(hash);
        isPauseDue = tx === null;
        if (tx !== null) {
          found.push(tx);
        } else {
          stillLooks = height > highest ? 0 : stillLooks + 1;
          highest = Math.max(highest, height);
          if (highest > last || stillLooks >= STILL_LOOKS_MAX) return found;
        }
      }
    }
    return found;
  }
}

/** @throws LedgerError `attest.dropped`, `attest.refused` */
function passed(hash: string, tx: IndexedTx | undefined, { last }: Window): IndexedTx {
  if (tx === undefined)
    throw new LedgerError('attest.dropped', `transaction ${hash} is in no block up to ${last}`, { hash });
  if (tx.code !== 0) throw new LedgerError('attest.refused', `the chain refused: ${tx.rawLog}`);
  return tx;
}

function broadcastFailure(error: unknown, isRefused: boolean): LedgerError {
  return isRefused
    ? new LedgerError('attest.refused', `the mempool refuses: ${messageOf(error)}`, {}, error)
    : new LedgerError('attest.dropped', `nobody knows whether it came: ${messageOf(error)}`, {}, error);
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
  const { gasPrices } = options;
  return new Account(account?.address ?? '', connection.signer(wallet), { gasPrices });
}
