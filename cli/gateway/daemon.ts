/** A gateway put together: its home, desk, settler and server on one node. */
import { type Connection, foundOrNone } from '../../client/index.ts';
import { Payee } from '../../client/vouchers/payee.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import { SERVER_LIMITS } from '../../serve/limits.ts';
import { HttpServer } from '../../serve/server.ts';
import { InferenceDesk } from '../../gateway/serve/desk.ts';
import { KeptEpochs } from '../../gateway/serve/kept-epochs.ts';
import { recoverCharges } from '../../gateway/serve/recover.ts';
import { StreamDesk } from '../../gateway/serve/stream-desk.ts';
import { Settler } from '../../gateway/serve/settler.ts';
import type { Ed25519Signer } from '../../node/crypto/ed25519.ts';
import { systemTimers } from '../../watch/asking.ts';
import type { Logger } from '../../node/logging/logger.ts';
import type { Account } from '../attest/account.ts';
import { usageError } from '../failure.ts';
import { backendInference } from './backend.ts';
import { type GatewayHome, openGatewayHome } from './home.ts';
import { GatewayMetrics } from './metrics.ts';
import { priceBook } from './price-book.ts';
import { gatewayFolder, readReceiptKey } from './receipt-key.ts';
import { requireOwnKey } from './register.ts';
import { GATEWAY_ERRORS, gatewayRoutes, type GatewayTerms } from './routes.ts';
import { settlementChain } from './settlement-chain.ts';
import { verifyPayer } from './verify-key.ts';

/** What a gateway is made of. */
export interface GatewayParts {
  readonly connection: Connection;
  readonly account: Account;
  readonly logger: Logger;
  readonly home: string;
  /** Of addresses. */
  readonly prefix: string;
}

/** What the options of the command say, checked. Amounts in base units. */
export interface GatewayBounds {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly models: readonly bigint[];
  readonly backend: string;
  readonly bytesPerToken: number;
  /** Of streams: most tokens that are given and not paid for in a channel's life. */
  readonly tokensAhead: number;
  /** How long a stream waits for a payment. */
  readonly patienceSeconds: number;
  readonly timeoutSeconds: number;
  readonly requestsMax: number;
  readonly connectionsPerAddressMax: number;
  readonly claimMin: bigint;
  readonly settleMin: bigint;
  readonly stateUncovered: boolean;
  /** On one channel. */
  readonly unclaimedMax: bigint;
}

/** A gateway that serves. */
export interface GatewayDaemon {
  readonly url: string;
  /** Resolves when a disk failed: nothing more is served, `stop` and begin again. */
  readonly failed: Promise<void>;
  /** One look at the chain; what fails is logged and tried again. */
  round(): Promise<void>;
  /** Ends what is being answered: nothing is charged for it. */
  stop(): Promise<void>;
  /** @throws LedgerError what the disk failed with, if it did */
  requireWhole(): void;
}

/** Seconds that what is known of the chain may be old. */
const MIRROR_AGE_MAX = 300;
/** Rows of one claim: 155 bytes and 13,000 gas each. */
const CLAIM_ROWS_MAX = 500;
const PROMPT_BYTES_MAX = 1 << 18;
const ANSWER_BYTES_MAX = 1 << 18;
/** JSON writes a byte in six characters at most. */
const REPLY_BYTES_MAX = 6 * ANSWER_BYTES_MAX + 1024;
/** Beyond the time of an answer: its receipt and charge are written, its claim looked up. */
const WRITING_MS = 10_000;

/**
 * Begins to serve.
 * @throws LedgerError `gateway.key`, `gateway.unregistered`, `gateway.model`, `gateway.listen`, `cli.usage`,
 * those of `openGatewayHome`; rejects when no node answers
 */
export async function startGateway(parts: GatewayParts, bounds: GatewayBounds): Promise<GatewayDaemon> {
  const { connection, account, home } = parts;
  await requireTime(connection, bounds);
  const key = await ownKey(connection, account.address, home);
  const terms = await termsOf(parts, bounds, key);
  const opened = await openGatewayHome(gatewayFolder(home));
  try {
    const daemon = assemble(parts, bounds, { terms, key, opened });
    await daemon.recover();
    await daemon.settler.observe();
    await daemon.server.start();
    return daemon.running;
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** A request has to be over, and claimed, before its channel is withdrawn: client/vouchers/README.md. */
async function requireTime({ queries }: Connection, { timeoutSeconds }: GatewayBounds): Promise<void> {
  const { withdrawDelayMin } = (await queries.openledger.channels.params()).params;
  const most = withdrawDelayMin - MIRROR_AGE_MAX;
  if (timeoutSeconds < most) return;
  throw usageError(
    `--timeout must be less than ${most} seconds: on this chain a channel is withdrawn after ` +
      `${withdrawDelayMin}, and what is known of it may be ${MIRROR_AGE_MAX} old`,
  );
}

/** @throws LedgerError `gateway.unregistered`, `gateway.key` */
async function ownKey({ queries }: Connection, address: string, home: string): Promise<Ed25519Signer> {
  const found = await foundOrNone(queries.openledger.settlement.gateway({ address }));
  if (found === undefined)
    throw new LedgerError(
      'gateway.unregistered',
      `${address} is no gateway on this chain; make it one: openledgerd gateway register --endpoint <url>`,
    );
  const key = await readReceiptKey(home);
  requireOwnKey(found.gateway, key?.publicKey);
  if (key !== undefined) return key;
  throw new LedgerError('gateway.key', 'there is no receipt key in this home');
}

/** Terms of models that are all there, in one denomination. @throws LedgerError `gateway.model` */
async function termsOf(
  { connection, account: { address } }: GatewayParts,
  { models, bytesPerToken, tokensAhead }: GatewayBounds,
  { publicKey: receiptKey }: Ed25519Signer,
): Promise<GatewayTerms> {
  const prices = priceBook(connection, address);
  const denoms = new Set<string>();
  for (const id of models) {
    const terms = await prices.terms(id);
    if (terms === undefined) throw new LedgerError('gateway.model', `there is no model ${id} on this chain`);
    denoms.add(terms.denom);
  }
  const [denom = '', ...others] = denoms;
  if (others.length > 0)
    throw new LedgerError(
      'gateway.model',
      `the models have prices in ${[...denoms].join(' and ')}; serve those of each in a process of its own`,
    );
  const { network: chainId } = (await connection.comet.status()).nodeInfo;
  return { chainId, gateway: address, denom, receiptKey, models, bytesPerToken, tokensAhead };
}

interface Opened {
  readonly terms: GatewayTerms;
  readonly key: Ed25519Signer;
  readonly opened: GatewayHome;
}

interface Assembled {
  readonly settler: Settler;
  readonly server: HttpServer;
  readonly recover: () => Promise<void>;
  readonly running: GatewayDaemon;
}

function assemble(
  { connection, account, logger, prefix }: GatewayParts,
  bounds: GatewayBounds,
  { terms, key, opened }: Opened,
): Assembled {
  const { chainId, gateway, denom, models, bytesPerToken, tokensAhead } = terms;
  const { host, port, backend, requestsMax, connectionsPerAddressMax, unclaimedMax } = bounds;
  const { vouchers: journal, receipts, rounds, files } = opened;
  const now = (): number => Math.floor(Date.now() / 1000);
  const policy = { chainId, prefix, unclaimedMax, mirrorAgeMax: MIRROR_AGE_MAX, receipted: true };
  const payee = new Payee({ journal, verify: verifyPayer, now }, policy);
  const prices = priceBook(connection, gateway);
  const epochs = new KeptEpochs({ files, journal: rounds, prices });
  const timeoutMs = bounds.timeoutSeconds * 1000;
  const inference = backendInference({ backend, bytesPerToken, timeoutMs, replyBytesMax: REPLY_BYTES_MAX });
  const sizes = { promptBytesMax: PROMPT_BYTES_MAX, answerBytesMax: ANSWER_BYTES_MAX, requestsMax };
  const ports = { payee, receipts, prices, inference, signer: key, logger };
  const offer = { chainId, gateway, denom, models, ...sizes };
  const desk = new InferenceDesk(ports, offer);
  const patienceMs = bounds.patienceSeconds * 1000;
  const streamOffer = { ...offer, tokensAhead, patienceMs, streamMs: timeoutMs };
  const streams = new StreamDesk({ ...ports, timers: systemTimers }, streamOffer);
  const chain = settlementChain({ connection, account, now });
  const settler = new Settler(
    { chain, payee, receipts, epochs, logger },
    { ...bounds, claimRowsMax: CLAIM_ROWS_MAX },
  );
  const metrics = new GatewayMetrics({
    serving: () => desk.serving + streams.serving,
    receipts: () => receipts.count,
    unclaimed: () => settler.unclaimed,
    heldRounds: () => settler.heldRounds,
    lostLanes: () => settler.lostLanes,
  });
  const life = new Life(logger);
  const routes = gatewayRoutes({
    desk: {
      priceOf: (request) => desk.priceOf(request),
      answer: (request, signal) => life.track(desk.answer(request, signal)),
    },
    streams: life.trackStreams(streams),
    ...{ epochs, terms, logger, signal: life.signal },
    health: () => ({ serving: desk.serving + streams.serving, last_look: life.lookedAt, gateway }),
    onOutcome: (outcome) => metrics.outcome(outcome),
    onFatal: (error) => life.fail(error),
  });
  const limits = { ...SERVER_LIMITS, connectionsPerAddressMax, answerMs: timeoutMs + WRITING_MS };
  const server = new HttpServer({ routes, metrics, logger }, { host, port, limits, errors: GATEWAY_ERRORS });
  const running: GatewayDaemon = {
    get url() {
      return server.url;
    },
    failed: life.failed,
    round: () => life.look(settler, { metrics, now }),
    requireWhole: () => life.requireWhole(),
    async stop() {
      life.end();
      await server.stop();
      await life.answersOver();
      await opened.close();
    },
  };
  return { settler, server, recover: () => recoverCharges({ payee, receipts }, { tokensAhead }), running };
}

/** How long a gateway goes on. */
class Life {
  readonly failed: Promise<void>;
  /** Seconds since 1970 of the last look at the chain that was whole. */
  lookedAt: number | undefined;
  readonly #logger: Logger;
  readonly #over = new AbortController();
  readonly #answers = new Set<Promise<void>>();
  #failure: LedgerError | undefined;
  #onFail: () => void = () => undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
    this.failed = new Promise((resolve) => {
      this.#onFail = resolve;
    });
  }

  get signal(): AbortSignal {
    return this.#over.signal;
  }

  end(): void {
    this.#over.abort();
  }

  /** An answer that is being made: its client may have left. */
  track<T>(answer: Promise<T>): Promise<T> {
    const over = answer.then(
      () => undefined,
      () => undefined,
    );
    this.#answers.add(over);
    void over.then(() => this.#answers.delete(over));
    return answer;
  }

  /** Streams end with what was paid for being charged, also of clients that have left. */
  trackStreams(streams: StreamDesk): Pick<StreamDesk, 'open' | 'pay'> {
    return {
      pay: (channelId, lane, link) => this.track(streams.pay(channelId, lane, link)),
      open: async (request) => {
        const opened = await this.track(streams.open(request));
        if (opened.kind !== 'stream') return opened;
        return { kind: 'stream', run: (give, signal) => this.track(opened.run(give, signal)) };
      },
    };
  }

  /** Resolves when the last write of each is done. */
  async answersOver(): Promise<void> {
    await Promise.all(this.#answers);
  }

  fail(error: LedgerError): void {
    this.#failure ??= error;
    this.#onFail();
  }

  requireWhole(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  async look(
    settler: Settler,
    { metrics, now }: { readonly metrics: GatewayMetrics; readonly now: () => number },
  ): Promise<void> {
    try {
      await settler.round();
      this.lookedAt = now();
      metrics.round('done');
    } catch (error) {
      metrics.round('failed');
      if (error instanceof LedgerError && (error.code === 'gateway.disk' || error.code === 'vouchers.disk'))
        return this.fail(error);
      this.#logger.warn({ error: messageOf(error) }, 'a look at the chain failed; the next one is soon');
    }
  }
}
