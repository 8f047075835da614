/**
 * The light client: blocks of a chain that are trusted because of one that the user trusts. It asks the
 * primary, verifies forwards (skipping or one by one) or backwards, and compares with the witnesses.
 * Source: CometBFT v0.38.21 `light/client.go`; README.md lists what is different.
 */
import { equalBytes, toUpperHex } from '../core/bytes.ts';
import { LedgerError, messageOf } from '../core/errors.ts';
import { HASH_BYTES } from '../core/hash.ts';
import { type Header, headerHash } from '../consensus/types/header.ts';
import { checkLightBlock, type LightBlock } from '../consensus/types/light-block.ts';
import { LIGHT_TRUST_LEVEL, type TrustLevel } from '../consensus/types/verify-commit.ts';
import { sameHeader } from './attack.ts';
import { Detector } from './detector.ts';
import type { LightPorts } from './ports.ts';
import { isBenign, type LightProvider } from './provider.ts';
import { noWitnesses, ProviderPool } from './provider-pool.ts';
import { verifySkipping } from './skipping.ts';
import type { TrustedStore } from './store.ts';
import { checkOwnCommit, checkTrustLevel, isExpired, verifyAdjacent, verifyBackwards } from './verify.ts';
import type { VerifyOptions } from './verify.ts';

/** What the user trusts. */
export interface TrustOptions {
  readonly height: bigint;
  /** 32 bytes. */
  readonly hash: Uint8Array;
}

/** How a client verifies. */
export interface LightClientOptions {
  readonly chainId: string;
  readonly trustingPeriodNanos: bigint;
  /** Needed when the store is empty; otherwise the store is compared with it. */
  readonly trust?: TrustOptions | undefined;
  /** Default: skipping. */
  readonly mode?: 'skipping' | 'sequential';
  /** Default: 1/3. */
  readonly trustLevel?: TrustLevel;
  /** How far a header may be ahead of our clock. Default: 10 s. */
  readonly maxClockDriftMs?: number;
  /** How late a block may reach a witness. Default: 10 s. */
  readonly maxBlockLagMs?: number;
  /** Blocks kept in the store; 0: all. Default: 1000. */
  readonly keep?: number;
  /** Asked before stored blocks that contradict `trust` are removed. Default: yes. */
  readonly confirm?: (question: string) => boolean | Promise<boolean>;
}

const DEFAULT_DRIFT_MS = 10_000;
const DEFAULT_LAG_MS = 10_000;
const DEFAULT_KEEP = 1000;
const NANOS_PER_MS = 1_000_000n;
/** Blocks of a sequential trace that are held at once; what is verified up to there is kept. */
const SEQUENTIAL_STRIDE = 500n;
/** Callers that wait for their turn. */
const WAITING_MAX = 1000;
/** Errors that only a faulty primary can cause. */
const PRIMARY_FAULTS: readonly string[] = [
  'light.invalid_header',
  'light.wrong_validators',
  'light.bad_block',
  'light.conflict',
];

/**
 * Opens a client: takes over what the store has, and makes the trusted block its first one where needed.
 * @throws LedgerError `light.options`, `light.trust_level`, `light.wrong_hash` (the providers' block of the
 *   trusted height has another hash), `light.untrusted` (nothing to begin with), of the providers
 */
export async function openLightClient(ports: LightPorts, options: LightClientOptions): Promise<LightClient> {
  checkOptions(ports, options);
  const client = new LightClient(ports, options);
  await client.trust(options.trust);
  return client;
}

function checkOptions(ports: LightPorts, options: LightClientOptions): void {
  const { chainId, trustingPeriodNanos, trust, trustLevel } = options;
  const wrong = (message: string): LedgerError => new LedgerError('light.options', message);
  if (ports.witnesses.length === 0) throw noWitnesses();
  for (const provider of [ports.primary, ...ports.witnesses]) {
    if (provider.chainId !== chainId)
      throw wrong(`${provider.name} is for chain ${provider.chainId}, not ${chainId}`);
  }
  if (trustingPeriodNanos <= 0n) throw wrong('the trusting period must be longer than nothing');
  if (trust !== undefined && trust.height < 1n) throw wrong('the trusted height must be at least 1');
  if (trust !== undefined && trust.hash.length !== HASH_BYTES)
    throw wrong(`the trusted hash must have ${HASH_BYTES} bytes, not ${trust.hash.length}`);
  if (trustLevel !== undefined) checkTrustLevel(trustLevel);
}

/** A light client. Calls may overlap; they are carried out one after another. */
export class LightClient {
  readonly #ports: LightPorts;
  readonly #options: LightClientOptions;
  readonly #pool: ProviderPool;
  readonly #detector: Detector;
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  /** Once an attack was seen, nothing more is verified. */
  #attack: LedgerError | undefined;

  /** Use `openLightClient`. */
  constructor(ports: LightPorts, options: LightClientOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#pool = new ProviderPool(ports);
    const { maxClockDriftMs = DEFAULT_DRIFT_MS, maxBlockLagMs = DEFAULT_LAG_MS } = options;
    this.#detector = new Detector({
      ...ports,
      pool: this.#pool,
      waitMs: 2 * maxClockDriftMs + maxBlockLagMs,
    });
  }

  get chainId(): string {
    return this.#options.chainId;
  }

  get primary(): LightProvider {
    return this.#pool.primary;
  }

  get witnesses(): readonly LightProvider[] {
    return this.#pool.witnesses;
  }

  /** Heights that are verified and stored, rising. */
  get trustedHeights(): readonly bigint[] {
    return this.#ports.store.heights;
  }

  /** A stored block, or the highest one; undefined when it is not there. Nothing is asked or verified. */
  async trusted(height?: bigint): Promise<LightBlock | undefined> {
    const { store } = this.#ports;
    const at = height ?? store.last;
    return at === undefined ? undefined : store.get(at);
  }

  /**
   * The verified block of a height.
   * @throws LedgerError of verification, of the providers, `light.attack`, `light.busy`
   */
  async lightBlock(height: bigint): Promise<LightBlock> {
    if (height < 1n) throw new LedgerError('light.options', `height must be at least 1, not ${height}`);
    const stored = await this.#ports.store.get(height);
    if (stored !== undefined) return stored;
    return this.#inTurn(() => this.#verifiedAt(height));
  }

  /** The primary's latest block, verified; or the highest that is trusted, when the primary is behind. */
  async latest(): Promise<LightBlock> {
    return this.#inTurn(() => this.#verifiedAt(undefined));
  }

  /**
   * Checks that a header is on the chain.
   * @throws LedgerError `light.conflict` when another one is, and as `lightBlock`
   */
  async verifyHeader(header: Header): Promise<LightBlock> {
    const block = await this.lightBlock(header.height);
    if (!equalBytes(headerHash(block.header), headerHash(header)))
      throw new LedgerError('light.conflict', `another header of height ${header.height} is on the chain`, {
        height: header.height,
        expected: toUpperHex(headerHash(block.header)),
        got: toUpperHex(headerHash(header)),
      });
    return block;
  }

  /** Makes a block that the user trusts the root of trust. Called by `openLightClient`. */
  async trust(trust: TrustOptions | undefined): Promise<void> {
    const { store } = this.#ports;
    if (trust !== undefined) await this.#compareStore(store, trust);
    if (trust !== undefined && (store.last === undefined || store.last < trust.height)) {
      await this.#begin(trust);
    }
    if (store.last === undefined)
      throw new LedgerError('light.untrusted', 'nothing is trusted yet: give a trusted height and hash');
  }

  /** The user is right: what is stored and contradicts what she trusts goes, if she confirms it. */
  async #compareStore(store: TrustedStore, trust: TrustOptions): Promise<void> {
    if (store.last === undefined) return;
    const height = store.last < trust.height ? store.last : trust.height;
    let same: boolean;
    try {
      const expected = height === trust.height ? trust.hash : await this.#hashAt(height);
      const got = headerHash((await this.#inTurn(() => this.#verifiedAt(height))).header);
      same = equalBytes(expected, got);
    } catch (error) {
      if (!isBenign(error)) throw error;
      this.#ports.log?.('warn', 'what is stored cannot be compared with what is to be trusted', {
        height,
        error: messageOf(error),
      });
      return;
    }
    if (same) return;
    const { confirm = (): boolean => true } = this.#options;
    const question = `Block ${height} is not the one that was verified before. Forget all that is stored?`;
    if (!(await confirm(question)))
      throw new LedgerError('light.conflict', 'the store contradicts what is to be trusted', { height });
    await store.removeAbove(0n);
  }

  async #hashAt(height: bigint): Promise<Uint8Array> {
    return headerHash((await this.#pool.lightBlock(height)).header);
  }

  async #begin({ height, hash }: TrustOptions): Promise<void> {
    const block = checkLightBlock(await this.#pool.lightBlock(height));
    const got = headerHash(block.header);
    if (!equalBytes(got, hash) || block.header.chainId !== this.chainId) {
      const message =
        `block ${height} of ${this.primary.name} has hash ${toUpperHex(got)}, not the trusted ` +
        `${toUpperHex(hash)}: check height, hash and primary`;
      throw new LedgerError('light.wrong_hash', message, { height });
    }
    checkOwnCommit(block, this.#ports);
    await this.#detector.compareFirst(block);
    await this.#save(block);
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= WAITING_MAX)
      throw new LedgerError('light.busy', `more than ${WAITING_MAX} requests wait: try again later`);
    this.#waiting++;
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    try {
      return await turn;
    } catch (error) {
      if (error instanceof LedgerError && error.code === 'light.attack') this.#attack = error;
      throw error;
    } finally {
      this.#waiting--;
    }
  }

  /** A primary that is faulty, or lacks a block in between, is replaced; each provider gets one attempt. */
  async #verifiedAt(height: bigint | undefined): Promise<LightBlock> {
    if (this.#attack !== undefined) throw this.#attack;
    const { store } = this.#ports;
    const stored = height === undefined ? undefined : await store.get(height);
    if (stored !== undefined) return stored;
    const attemptsMax = 1 + this.#pool.witnesses.length;
    let block = await this.#pool.lightBlock(height);
    for (let attempt = 1; ; attempt++) {
      const last = store.last ?? 0n;
      const isBehind = height === undefined && block.header.height < last;
      const highest = isBehind ? await store.get(last) : undefined;
      if (highest !== undefined) return highest;
      try {
        return await this.#verified(block);
      } catch (error) {
        if (!isPrimaryFault(error) || attempt >= attemptsMax) throw error;
        block = await this.#pool.replacePrimary(height, error);
      }
    }
  }

  async #verified(block: LightBlock): Promise<LightBlock> {
    const { store, clock } = this.#ports;
    const { height } = block.header;
    const stored = await store.get(height);
    if (stored !== undefined) {
      if (sameHeader(stored, block)) return stored;
      throw new LedgerError('light.conflict', `block ${height} is not the one that is trusted`, { height });
    }
    const below = store.before(height);
    const above = store.after(height);
    const options = this.#verifyOptions(clock.now());
    const root = below === undefined ? undefined : await store.get(below);
    const expired = root === undefined || isExpired(root.header, options.trustingPeriodNanos, options.now);
    const ceiling = above === undefined || !expired ? undefined : await store.get(above);
    if (ceiling !== undefined) await this.#backwards(block, ceiling.header);
    else if (root !== undefined) await this.#forwards(block, root, options);
    else throw new LedgerError('light.untrusted', 'nothing is trusted yet: give a trusted height and hash');
    await this.#save(block);
    return block;
  }

  async #forwards(block: LightBlock, root: LightBlock, options: VerifyOptions): Promise<void> {
    if (this.#options.mode !== 'sequential') {
      const task = { source: this.#pool.primary, trusted: root, target: block };
      const trace = await verifySkipping(task, options, this.#ports.signal);
      await this.#detector.detect(trace, options);
      return;
    }
    let verified = root;
    while (block.header.height - verified.header.height > SEQUENTIAL_STRIDE) {
      const milestone = await this.#primaryBlock(verified.header.height + SEQUENTIAL_STRIDE);
      await this.#detector.detect(await this.#sequential(milestone, verified, options), options);
      await this.#save(milestone);
      verified = milestone;
    }
    await this.#detector.detect(await this.#sequential(block, verified, options), options);
  }

  async #sequential(
    block: LightBlock,
    root: LightBlock,
    options: VerifyOptions,
  ): Promise<readonly LightBlock[]> {
    const trace = [root];
    let verified = root;
    while (verified.header.height < block.header.height) {
      const next = verified.header.height + 1n;
      const between = next === block.header.height ? block : await this.#primaryBlock(next);
      verifyAdjacent(verified, between, options);
      trace.push(between);
      verified = between;
    }
    return trace;
  }

  /** Header by header down to the block; then its commit, because it is handed out, too. */
  async #backwards(block: LightBlock, trusted: Header): Promise<void> {
    let verified = trusted;
    while (verified.height > block.header.height) {
      const next = verified.height - 1n;
      const below = next === block.header.height ? block : await this.#primaryBlock(next);
      verifyBackwards(below.header, verified);
      verified = below.header;
    }
    checkLightBlock(block);
    checkOwnCommit(block, this.#ports);
  }

  async #primaryBlock(height: bigint): Promise<LightBlock> {
    return this.#pool.primary.lightBlock(height, this.#ports.signal);
  }

  async #save(block: LightBlock): Promise<void> {
    await this.#ports.store.save(block, this.#options.keep ?? DEFAULT_KEEP);
    this.#ports.log?.('info', 'block verified', { height: block.header.height });
  }

  #verifyOptions(now: VerifyOptions['now']): VerifyOptions {
    const { trustingPeriodNanos, trustLevel = LIGHT_TRUST_LEVEL, maxClockDriftMs } = this.#options;
    return {
      trustingPeriodNanos,
      trustLevel,
      now,
      maxClockDriftNanos: BigInt(maxClockDriftMs ?? DEFAULT_DRIFT_MS) * NANOS_PER_MS,
      verify: this.#ports.verify,
    };
  }
}

/** True when another primary may do better. */
function isPrimaryFault(error: unknown): boolean {
  return isBenign(error) || (error instanceof LedgerError && PRIMARY_FAULTS.includes(error.code));
}
