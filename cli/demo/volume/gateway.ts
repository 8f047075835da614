/** The demo's gateway: the library of `gateway/serve` in this process, under the seller's account. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { IndexedTx } from '@cosmjs/stargate';
import { equalBytes, toHex, utf8 } from '../../../core/bytes.ts';
import { LedgerError } from '../../../core/errors.ts';
import { hmacSha256 } from '../../../core/hash.ts';
import { foundOrNone, registerGateway } from '../../../client/index.ts';
import { Payee } from '../../../client/vouchers/payee.ts';
import { InferenceDesk } from '../../../gateway/serve/desk.ts';
import { KeptEpochs } from '../../../gateway/serve/kept-epochs.ts';
import type { GatewayLogger, Inference } from '../../../gateway/serve/ports.ts';
import { Settler } from '../../../gateway/serve/settler.ts';
import { ed25519Signer, type Ed25519Signer, verifyEd25519 } from '../../../node/crypto/ed25519.ts';
import { MsgRegisterGateway } from '../../../proto/gen/openledger/settlement/v1/tx.ts';
import { openGatewayHome } from '../../gateway/home.ts';
import { priceBook } from '../../gateway/price-book.ts';
import { settlementChain } from '../../gateway/settlement-chain.ts';
import { type DemoChain, type Party, send } from '../party.ts';

/** Nobody serves the demo's epochs when it is over: it waits until they are final. */
const ENDPOINT = 'http://127.0.0.1:8790';
/** Rows of one claim: 155 bytes and 13,000 gas each. */
const CLAIM_ROWS_MAX = 1_000;
const REQUESTS_MAX = 4_096;
const BYTES_MAX = 1 << 16;
/** Seconds that what is known of the chain may be old. */
const MIRROR_AGE_MAX = 300;

/** What the gateway is made of. */
export interface DemoGatewayParts {
  readonly chain: DemoChain;
  readonly seller: Party;
  /** What its receipt key is made of: each run has the same. */
  readonly mnemonic: string;
  /** Gone when the demo is over. */
  readonly folder: string;
  readonly modelId: bigint;
  readonly inference: Inference;
}

/** A gateway that is open. */
export interface DemoGateway {
  readonly desk: InferenceDesk;
  readonly settler: Settler;
  /** Signs receipts, and consents to closings. */
  readonly key: Ed25519Signer;
  /** Transactions that it has sent, in order. */
  readonly sent: readonly IndexedTx[];
  close(): Promise<void>;
}

/** Registers the gateway if it is none yet, and opens it. */
export async function openDemoGateway(parts: DemoGatewayParts): Promise<DemoGateway> {
  const { chain, seller, folder, modelId, inference } = parts;
  const { connection, chainId, prefix, denom } = chain;
  const key = ed25519Signer(hmacSha256(utf8(parts.mnemonic), utf8('openledger demo: receipt key')));
  await register(parts, key);
  const sent: IndexedTx[] = [];
  const account = {
    address: seller.address,
    send: async (messages: Parameters<typeof send>[1]): Promise<IndexedTx> => {
      const tx = await send(seller, messages);
      sent.push(tx);
      return tx;
    },
  };
  const home = await openGatewayHome(folder);
  const now = (): number => Math.floor(Date.now() / 1000);
  const payee = new Payee(
    {
      journal: home.vouchers,
      verify: ({ key: of }, message, signature) => verifyEd25519(of, message, signature),
      now,
    },
    { chainId, prefix, unclaimedMax: 1n << 62n, mirrorAgeMax: MIRROR_AGE_MAX },
  );
  const prices = priceBook(connection, seller.address);
  const { receipts } = home;
  const epochs = new KeptEpochs({ files: home.files, journal: home.rounds, prices });
  const desk = new InferenceDesk(
    { payee, receipts, prices, inference, signer: key, logger: LOGGER },
    {
      chainId,
      gateway: seller.address,
      denom,
      models: [modelId],
      promptBytesMax: BYTES_MAX,
      answerBytesMax: BYTES_MAX,
      requestsMax: REQUESTS_MAX,
    },
  );
  const settler = new Settler(
    { chain: settlementChain({ connection, account, now }), payee, receipts, epochs, logger: LOGGER },
    { claimRowsMax: CLAIM_ROWS_MAX, claimMin: 1n, settleMin: 1n, stateUncovered: false },
  );
  const close = async (): Promise<void> => {
    await home.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { desk, settler, key, sent, close };
}

async function register({ chain, seller }: DemoGatewayParts, { publicKey }: Ed25519Signer): Promise<void> {
  const { settlement } = chain.connection.queries.openledger;
  const { address } = seller;
  const known = await foundOrNone(settlement.gateway({ address }));
  if (known === undefined) {
    const message = { gateway: address, receiptKey: publicKey, endpoint: ENDPOINT };
    await send(seller, [registerGateway(MsgRegisterGateway.create(message))]);
    return;
  }
  if (equalBytes(known.gateway.receiptKey, publicKey)) return;
  throw new LedgerError(
    'demo.gateway',
    `${address} is a gateway with another key (${toHex(known.gateway.receiptKey)}), which the demo does not have`,
  );
}

/** In the demo nothing of this may happen: the sums would be others. */
const LOGGER: GatewayLogger = {
  info: () => undefined,
  warn: (_, message) => {
    throw new LedgerError('demo.gateway', message);
  },
  error: (_, message) => {
    throw new LedgerError('demo.gateway', message);
  },
};

/** Where a run of the demo keeps what its gateway writes. */
export function demoGatewayFolder(home: string, run: string): string {
  return join(home, 'demo-gateway', run);
}
