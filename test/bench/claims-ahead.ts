/** `--only vouchers`: the vouchers of one claim, verified as the message runs, and on threads before it does. */
import { createPublicKey, type KeyObject, verify as verifyBare } from 'node:crypto';
import { utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { transactionVerifier, verifierTask } from '../../cli/application.ts';
import { QueryContext } from '../../framework/context.ts';
import { unlimitedGas } from '../../framework/gas.ts';
import type { SignatureTask } from '../../framework/tx/signature.ts';
import { channelId } from '../../modules/channels/format/configuration.ts';
import { CachedSignatureVerifier } from '../../node/crypto/signature-verifier.ts';
import { VerifierPool } from '../../node/crypto/verifier-pool.ts';
import { MsgClaimVouchers, MsgOpenChannel } from '../../proto/gen/openledger/channels/v1/tx.ts';
import { ModuleChain } from '../channels/chain.ts';
import { configOf, rowFor, sessionSigner, voucherFor } from '../support/channels.ts';
import { testAccount } from '../support/test-chain.ts';
import type { Report } from './report.ts';

/** Channels and rows: the most that a message may have. */
const ROWS = 4_096;
const ROUNDS = 4;
const CACHE_ENTRIES = 40_000;
const MILLISECONDS = 1_000;
/** Before a raw key: RFC 8410. */
const SPKI_ED25519 = Buffer.from('302a300506032b6570032100', 'hex');

/** One claim of so many rows, by its parts, in milliseconds of wall-clock time. */
interface Measured {
  /** The main thread looks for the signatures. */
  readonly finding: number;
  /** The threads verify, and the main thread is free but for handing over. */
  readonly verifying: number;
  /** The message runs on the main thread. */
  readonly running: number;
}

/** Claims of channels that each have a key of their own. */
class ClaimBench {
  readonly #receiver = testAccount('ahead receiver');
  readonly #payer = testAccount('ahead payer');
  readonly #pool: VerifierPool;
  readonly #verifier: CachedSignatureVerifier;
  readonly #chain: ModuleChain;
  readonly #channels: readonly {
    readonly id: Uint8Array;
    readonly signer: ReturnType<typeof sessionSigner>;
  }[];
  #cumulative = 0n;

  constructor(workers: number) {
    this.#pool = new VerifierPool({ workers });
    this.#verifier = new CachedSignatureVerifier(this.#pool, { cacheEntriesMax: CACHE_ENTRIES });
    const accounts = [this.#payer.address, this.#receiver.address];
    this.#chain = new ModuleChain(accounts, transactionVerifier(this.#verifier));
    this.#channels = Array.from({ length: ROWS }, (_, i) => this.#open(i));
  }

  #open(i: number): { readonly id: Uint8Array; readonly signer: ReturnType<typeof sessionSigner> } {
    const signer = sessionSigner(`ahead ${i}`);
    const now = this.#chain.block.time.seconds;
    const config = configOf(
      { payer: this.#payer, receiver: this.#receiver, now },
      { withdrawDelay: 60, openBefore: now + 60n, payerAuthorizer: signer.key, salt: sha256(utf8(`${i}`)) },
    );
    const opened = this.#chain.run(MsgOpenChannel, { config, deposit: '1000000' });
    if (!('response' in opened)) throw new Error(opened.log);
    return { id: channelId(this.#chain.block.chainId, config), signer };
  }

  /** The next claim: of all channels. */
  message(): MsgClaimVouchers {
    this.#cumulative += 100n;
    const cumulative = this.#cumulative;
    const rows = this.#channels.map(({ id, signer }) => rowFor(voucherFor(id, { cumulative }), { signer }));
    return { claimer: this.#receiver.address, rows };
  }

  /** The signatures that a message needs. */
  tasks(message: MsgClaimVouchers): readonly SignatureTask[] {
    const { router, addresses } = this.#chain.composition;
    const bound = router.require(MsgClaimVouchers.typeUrl).bind(MsgClaimVouchers.encode(message), addresses);
    return bound.signatures?.(new QueryContext(this.#chain.branch, this.#chain.block, unlimitedGas())) ?? [];
  }

  async measure(message: MsgClaimVouchers, isAhead: boolean): Promise<Measured> {
    const start = performance.now();
    const tasks = isAhead ? this.tasks(message) : [];
    const found = performance.now();
    await this.#verifier.prefetch(tasks.map(verifierTask));
    const verified = performance.now();
    const ran = this.#chain.run(MsgClaimVouchers, message);
    if (!('response' in ran)) throw new Error(ran.log);
    return { finding: found - start, verifying: verified - found, running: performance.now() - verified };
  }

  async stop(): Promise<void> {
    await this.#pool.stop();
  }
}

/** Bare native checks of the same bytes on the main thread, keys imported before. Milliseconds. */
function bareMs(tasks: readonly SignatureTask[]): number {
  const keys = tasks.map(({ pubKey }): KeyObject => {
    const der = Buffer.concat([SPKI_ED25519, pubKey.bytes]);
    return createPublicKey({ key: der, format: 'der', type: 'spki' });
  });
  const start = performance.now();
  for (const [i, { signBytes, signature }] of tasks.entries()) {
    const key = keys[i];
    if (key === undefined || !verifyBare(null, signBytes, key, signature))
      throw new Error('a good signature was refused');
  }
  return performance.now() - start;
}

function perSecond(ms: number): number {
  return Math.round((ROWS * MILLISECONDS) / ms);
}

function total({ finding, verifying, running }: Measured): number {
  return finding + verifying + running;
}

/** A message of 4,096 rows, each of a channel with a key of its own. The best of some rounds, wall-clock. */
export async function reportAhead(row: Report['row']): Promise<Readonly<Record<string, number>>> {
  const results: Record<string, number> = {};
  for (const workers of [0, 1, 2]) {
    const bench = new ClaimBench(workers);
    const measured: Measured[] = [];
    let bare = Number.POSITIVE_INFINITY;
    for (let round = 0; round < ROUNDS; round++) {
      const message = bench.message();
      if (workers === 0) bare = Math.min(bare, bareMs(bench.tasks(message)));
      measured.push(await bench.measure(message, workers > 0));
    }
    await bench.stop();
    const [best] = measured.toSorted((a, b) => total(a) - total(b));
    if (best === undefined) throw new Error('nothing was measured');
    const name = workers === 0 ? 'one by one' : `ahead, workers: ${workers}`;
    results[`claim ${name}`] = perSecond(total(best));
    const { finding, verifying, running } = best;
    row(
      'vouchers/one-claim',
      { rows: ROWS, how: name },
      `${perSecond(total(best))} vouchers a second: ${finding.toFixed(0)} ms to find them, ` +
        `${verifying.toFixed(0)} ms on threads, ${running.toFixed(0)} ms to run the message` +
        (workers === 0 ? `; ${perSecond(bare)} bare native checks` : ''),
    );
  }
  return results;
}
