/** Accounts that act in the demo, and transactions that are signed in advance and waited for. */
import { calculateFee, GasPrice, type IndexedTx, type SigningStargateClient } from '@cosmjs/stargate';
import type { EncodeObject, OfflineSigner } from '@cosmjs/proto-signing';
import { TxRaw } from 'cosmjs-types/cosmos/tx/v1beta1/tx';
import { setTimeout as pause } from 'node:timers/promises';
import { LedgerError } from '../../core/errors.ts';
import { type Connection, walletOf } from '../../client/index.ts';

const POLL_MS = 150;
const WAIT_MS_MAX = 60_000;
/** What simulation says is not the last word: the state may have changed until the block. */
const GAS_MARGIN = 1.3;

/** The chain as the demo needs to know it. */
export interface DemoChain {
  readonly connection: Connection;
  readonly chainId: string;
  readonly prefix: string;
  readonly denom: string;
  readonly gasPrice: string;
}

/** Someone with an account. */
export interface Party {
  readonly name: string;
  readonly address: string;
  readonly client: SigningStargateClient;
}

/** The party with the key of a mnemonic at m/44'/118'/0'/0/index. */
export async function partyOf(
  chain: DemoChain,
  name: string,
  key: { readonly mnemonic: string; readonly index: number },
): Promise<Party> {
  const wallet: OfflineSigner = await walletOf(key.mnemonic, { prefix: chain.prefix, indexes: [key.index] });
  const [account] = await wallet.getAccounts();
  if (account === undefined) throw new LedgerError('demo.key', `no key for ${name}`);
  return { name, address: account.address, client: chain.connection.signer(wallet) };
}

/**
 * Signs, broadcasts and waits.
 * @throws LedgerError `demo.refused` with the chain's own words when the transaction fails
 */
export async function send(party: Party, messages: readonly EncodeObject[]): Promise<IndexedTx> {
  const sent = await party.client.signAndBroadcast(party.address, messages, 'auto');
  if (sent.code !== 0) throw refused(party, sent.rawLog ?? `code ${sent.code}`);
  return requireTx(party, sent.transactionHash);
}

/** A signed transaction and the fee that it offers, in base units. */
export interface SignedTx {
  readonly bytes: Uint8Array;
  readonly gasFee: bigint;
}

/** How to sign several transactions in a row. */
export interface SignRow {
  readonly party: Party;
  readonly chain: DemoChain;
  /** One transaction for each list of messages. */
  readonly rows: readonly (readonly EncodeObject[])[];
  /** Gas of every transaction; absent: simulated for each. */
  readonly gas?: number;
}

/** Signs transactions with successive sequences, so that they can be sent without waiting for one another. */
export async function signRow({ party, chain, rows, gas }: SignRow): Promise<readonly SignedTx[]> {
  const { accountNumber, sequence } = await party.client.getSequence(party.address);
  const price = GasPrice.fromString(chain.gasPrice);
  const signed: SignedTx[] = [];
  for (const [i, messages] of rows.entries()) {
    const limit = gas ?? Math.ceil((await party.client.simulate(party.address, messages, '')) * GAS_MARGIN);
    const fee = calculateFee(limit, price);
    const data = { accountNumber, sequence: sequence + i, chainId: chain.chainId };
    const raw = await party.client.sign(party.address, messages, fee, '', data);
    const gasFee = fee.amount.reduce((sum, { amount }) => sum + BigInt(amount), 0n);
    signed.push({ bytes: TxRaw.encode(raw).finish(), gasFee });
  }
  return signed;
}

/** Broadcasts in order, then waits until all are in blocks. Failed ones are returned too. */
export async function deliverRow(party: Party, signed: readonly SignedTx[]): Promise<readonly IndexedTx[]> {
  const hashes: string[] = [];
  for (const { bytes } of signed) hashes.push(await party.client.broadcastTxSync(bytes));
  return Promise.all(hashes.map((hash) => requireTx(party, hash)));
}

async function requireTx(party: Party, hash: string): Promise<IndexedTx> {
  const deadline = performance.now() + WAIT_MS_MAX;
  while (performance.now() < deadline) {
    const found = await party.client.getTx(hash);
    if (found !== null) return found;
    await pause(POLL_MS);
  }
  throw new LedgerError(
    'demo.timeout',
    `transaction ${hash} was not in a block after ${WAIT_MS_MAX / 1000} s`,
  );
}

/** A transaction of the demo that should have passed. */
export function refused(party: Party, log: string): LedgerError {
  return new LedgerError('demo.refused', `the chain refused a transaction of ${party.name}: ${log}`);
}
