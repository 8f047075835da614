/** A gateway that states what a test wants, and serves what the test wants of it. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openChannels } from '../../cli/demo/volume/channels.ts';
import { type Party, send } from '../../cli/demo/party.ts';
import { priceBook } from '../../cli/gateway/price-book.ts';
import { settlementChain } from '../../cli/gateway/settlement-chain.ts';
import { registerGateway } from '../../client/index.ts';
import { utf8 } from '../../core/bytes.ts';
import { defined } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import type { PublishedEpoch } from '../../gateway/epochs/published.ts';
import { RequestAnswerer } from '../../gateway/serve/answer-requests.ts';
import type { GatewayLogger, SettlementChain } from '../../gateway/serve/ports.ts';
import { serveEpoch } from '../../gateway/serve/serve-epoch.ts';
import { takeTurns } from '../../gateway/serve/take-turns.ts';
import { NO_ATTRIBUTION } from '../../modules/settlement/proof/attribution.ts';
import type { Receipt } from '../../modules/settlement/proof/leaves.ts';
import { ed25519Signer } from '../../node/crypto/ed25519.ts';
import { MsgRegisterGateway } from '../../proto/gen/openledger/settlement/v1/tx.ts';
import { rowFor, sessionSigner, voucherFor } from '../support/channels.ts';
import { epochOfReceipts } from '../support/epochs.ts';
import type { Scene } from './attest-scene.ts';

const USAGE = { tokensIn: 10, tokensOut: 20 };
const ROWS_MAX = 10;
const SILENT: GatewayLogger = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** What an epoch says, and whether it is served. */
export interface Stating {
  readonly modelId: bigint;
  /** Units that the one receipt is too dear by. */
  readonly surcharge?: bigint;
  readonly served: boolean;
}

/** See the file comment. */
export class GatewayPlay {
  readonly chain: SettlementChain;
  /** Of rounds that were stated. */
  readonly epochs: Map<bigint, PublishedEpoch> = new Map();
  readonly #scene: Scene;
  readonly #gateway: Party;
  readonly #server: Server;
  readonly #served: Map<bigint, PublishedEpoch>;
  #channel: Uint8Array = new Uint8Array(0);
  #lanes = 0;

  private constructor(scene: Scene, server: Server, served: Map<bigint, PublishedEpoch>) {
    this.#scene = scene;
    this.#gateway = scene.parties.liar;
    this.#server = server;
    this.#served = served;
    const { address } = this.#gateway;
    const account = {
      address,
      send: (messages: Parameters<typeof send>[1]) => send(this.#gateway, messages),
    };
    const now = (): number => Math.floor(Date.now() / 1000);
    this.chain = settlementChain({ connection: scene.chain.connection, account, now });
  }

  /** Registers it, and opens a channel to it. */
  static async begin(scene: Scene): Promise<GatewayPlay> {
    const served = new Map<bigint, PublishedEpoch>();
    const server = createServer((request, response) => {
      void serveEpoch({ served: async (id) => served.get(id) }, request.url ?? '').then(({ status, body }) =>
        response.writeHead(status).end(body),
      );
    });
    await new Promise<void>((listening) => void server.listen(0, '127.0.0.1', listening));
    const play = new GatewayPlay(scene, server, served);
    const key = ed25519Signer(sha256(utf8('receipts')));
    const { chain, parties } = scene;
    const session = ed25519Signer(sha256(utf8('session payer')));
    const { port } = server.address() as AddressInfo;
    const message = {
      gateway: parties.liar.address,
      receiptKey: key.publicKey,
      endpoint: `http://127.0.0.1:${port}`,
    };
    await send(parties.liar, [registerGateway(MsgRegisterGateway.create(message))]);
    const { ids } = await openChannels({
      ...{ chain, payer: parties.payer, session, gateway: parties.liar, gatewayKey: key },
      ...{ count: 1, deposit: 10_000_000n },
    });
    play.#channel = defined(ids[0], 'channel');
    return play;
  }

  /** Claims the price of one inference, and states it; the epoch's number. */
  async state({ modelId, surcharge = 0n, served }: Stating): Promise<bigint> {
    const { address } = this.#gateway;
    const terms = defined(await priceBook(this.#scene.chain.connection, address).terms(modelId), 'terms');
    const usage = { tokensIn: BigInt(USAGE.tokensIn), tokensOut: BigInt(USAGE.tokensOut) };
    const { fee, parts } = terms.quote(usage);
    const total = fee + surcharge;
    const lane = this.#lanes++;
    const voucher = voucherFor(this.#channel, { lane, cumulative: total, ceiling: total });
    const { chainId } = this.#scene.chain;
    await this.chain.claimVouchers([rowFor(voucher, { signer: sessionSigner('payer'), chainId })]);
    const round = defined(
      (await this.chain.rounds()).find(({ epochId }) => epochId === 0n),
      'round',
    );
    const receipt: Receipt = {
      ...{ channel: this.#channel, lane, before: 0n, after: total, modelId, ...USAGE },
      ...{ requestHash: sha256(utf8('request')), responseHash: sha256(utf8('answer')) },
      ...{ attribution: NO_ATTRIBUTION, parts: { ...parts, platform: parts.platform + surcharge } },
    };
    const epoch = epochOfReceipts([receipt], { terms: () => terms }, ROWS_MAX);
    const epochId = await this.chain.settleEpoch(round.id, epoch.commitment);
    this.epochs.set(round.id, epoch);
    if (served) this.#served.set(epochId, epoch);
    return epochId;
  }

  /** Answers what is asked on the chain about this epoch, and nothing about others. */
  async answer(epochId: bigint): Promise<void> {
    const rounds = async () => (await this.chain.rounds()).filter((round) => round.epochId === epochId);
    const epochs = { ofRound: async (id: bigint) => defined(this.epochs.get(id), 'epoch') };
    const answerer = new RequestAnswerer({ chain: { ...this.chain, rounds }, epochs, logger: SILENT });
    await takeTurns([answerer.transactions()], 1);
  }

  async end(): Promise<void> {
    await new Promise((closed) => void this.#server.close(closed));
  }
}
