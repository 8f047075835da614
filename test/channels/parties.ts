/** Parties of the fuzzed channels: the real library over disks that crash, and what payers want to buy. */
import { createHash } from 'node:crypto';
import { toHex, utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { LedgerError } from '../../core/errors.ts';
import { Payee, type PayeePolicy } from '../../client/vouchers/payee.ts';
import { Payer } from '../../client/vouchers/payer.ts';
import type { SignedVoucher, VerifySignature, VoucherSigner } from '../../client/vouchers/signatures.ts';
import { channelId } from '../../modules/channels/format/configuration.ts';
import { verifyEd25519 } from '../../node/crypto/ed25519.ts';
import type { ChannelConfig, SigningKey } from '../../proto/gen/openledger/channels/v1/channels.ts';
import type { Random } from '../operations/random.ts';
import { configOf, sessionSigner, type TestSigner } from '../support/channels.ts';
import { type TestAccount, testAccount } from '../support/test-chain.ts';
import { CrashDisk, type DiskFaults } from './disk.ts';
import { openJournal } from './journal.ts';

/** Lanes that payers use. */
export const LANES_USED = 3;
/** Seconds that what the payee knows may be old. */
export const MIRROR_AGE_MAX = 20;

/** What a payer wants, and what became of it: known to nobody but the test. */
export interface Wanted {
  readonly resource: Uint8Array;
  readonly ceiling: bigint;
  readonly stream: { readonly unit: bigint; readonly links: number } | undefined;
  /** Most that was charged for it by each voucher, in hex, or would have been if power had not gone. */
  readonly charges: Map<string, bigint>;
  /** What has left the payee for it. */
  served: bigint;
  /** A charge was made for certain. */
  isCharged: boolean;
  isAnswered: boolean;
  /** The payer does not want it any more, or has cheated about it. */
  isGivenUp: boolean;
}

/** What is put in place of the right parts, to see that it is found out. */
export interface Faults {
  readonly payeeDisk?: DiskFaults;
  readonly payerDisk?: DiskFaults;
  /** Does not wait for the disk. */
  readonly payeeWaits?: false;
  readonly payerWaits?: false;
  readonly verify?: VerifySignature;
}

/** The verifier of a gateway: ed25519 by node:crypto. */
export const verifyNatively: VerifySignature = (key, message, signature) =>
  key.key.length === 32 && verifyEd25519(key.key, message, signature);

const RECEIVER = testAccount('fuzz receiver');

/** The account that everybody pays. */
export const RECEIVER_ACCOUNT: TestAccount = RECEIVER;

/** The receiver's key. */
export const RECEIVER_SIGNER: TestSigner = sessionSigner('fuzz receiver');

/** Signs as the library wants it. */
export function librarySigner({ sign }: TestSigner): VoucherSigner {
  return { form: 'plain', sign: async ({ bytes }) => sign(bytes) };
}

/** The payee, which comes back after each crash. */
export class PayeeParty {
  readonly disk: CrashDisk;
  readonly #faults: Faults;
  readonly #now: () => number;
  readonly #policy: PayeePolicy;
  #payee: Payee | undefined;

  constructor(
    random: Random,
    faults: Faults,
    { now, chainId }: { readonly now: () => number; readonly chainId: string },
  ) {
    this.disk = new CrashDisk(random, faults.payeeDisk);
    this.#faults = faults;
    this.#now = now;
    this.#policy = { chainId, prefix: 'open', unclaimedMax: 400n, mirrorAgeMax: MIRROR_AGE_MAX };
  }

  get payee(): Payee {
    if (this.#payee === undefined) throw new RangeError('the payee was not started');
    return this.#payee;
  }

  /** Starts, or comes back. */
  async start(): Promise<void> {
    const journal = await openJournal(this.disk, this.#faults.payeeWaits !== false);
    const verify = this.#faults.verify ?? verifyNatively;
    this.#payee = new Payee({ journal, verify, now: this.#now }, this.#policy);
  }
}

/** One payer with its channel of the moment. */
export class PayerParty {
  readonly account: TestAccount;
  /** Signs behind the library's back. */
  readonly isRogue: boolean;
  readonly disk: CrashDisk;
  readonly #random: Random;
  readonly #faults: Faults;
  readonly #chainId: string;
  #payer: Payer | undefined;
  #channels = 0;
  config: ChannelConfig;
  id: Uint8Array;
  isOpen = false;
  isWithdrawing = false;
  deposited = 0n;
  signer: TestSigner;
  keys: readonly SigningKey[] = [];
  /** By resource in hex: all that was wanted on the channel of the moment. */
  readonly wanted: Map<string, Wanted> = new Map<string, Wanted>();

  constructor(
    name: string,
    {
      random,
      faults,
      chainId,
      isRogue,
    }: {
      readonly random: Random;
      readonly faults: Faults;
      readonly chainId: string;
      readonly isRogue: boolean;
    },
  ) {
    this.account = testAccount(name);
    this.isRogue = isRogue;
    this.disk = new CrashDisk(random, faults.payerDisk);
    this.#random = random;
    this.#faults = faults;
    this.#chainId = chainId;
    this.signer = sessionSigner(`${name} 0`);
    this.config = this.#nextConfig(0n);
    this.id = channelId(chainId, this.config);
  }

  get payer(): Payer {
    if (this.#payer === undefined) throw new RangeError('the payer was not started');
    return this.#payer;
  }

  /** Another channel than before: its id is known at once. */
  async newChannel(now: bigint): Promise<void> {
    this.signer = sessionSigner(`${this.account.address} 0`);
    this.config = this.#nextConfig(now);
    this.id = channelId(this.#chainId, this.config);
    this.keys = [this.signer.key];
    this.isWithdrawing = false;
    this.wanted.clear();
    await this.start();
  }

  #nextConfig(now: bigint): ChannelConfig {
    const salt = sha256(utf8(`${this.account.address} ${this.#channels++}`));
    return configOf(
      { payer: this.account, receiver: RECEIVER, now },
      {
        salt,
        withdrawDelay: 60,
        openBefore: now + 300n,
        payerAuthorizer: this.signer.key,
        receiverAuthorizer: RECEIVER_SIGNER.key,
      },
    );
  }

  /** Starts, or comes back after a crash. */
  async start(): Promise<void> {
    const journal = await openJournal(this.disk, this.#faults.payerWaits !== false);
    const ports = { journal, verify: verifyNatively, randomSeed: () => this.#random.bytes(32) };
    this.#payer = new Payer(ports, {
      id: this.id,
      domain: { chainId: this.#chainId, denom: 'uopen', prefix: 'open' },
      signer: librarySigner(this.signer),
      keys: this.keys,
      deposited: this.deposited,
      lanes: LANES_USED,
    });
  }

  /** Another key, on the chain already. */
  rotated(signer: TestSigner): void {
    this.signer = signer;
    this.keys = [...this.keys, signer.key];
    this.payer.update({ signer: librarySigner(signer), keys: this.keys });
  }

  get keyVersion(): number {
    return this.keys.length - 1;
  }

  wantedOf(signed: SignedVoucher): Wanted | undefined {
    return this.wanted.get(toHex(signed.voucher.resource));
  }

  /** Wants something new. */
  want(ceiling: bigint, stream: Wanted['stream']): Wanted {
    const resource = createHash('sha256')
      .update(`${toHex(this.id)} ${this.wanted.size}`)
      .digest();
    const wanted = {
      resource,
      ceiling,
      stream,
      charges: new Map<string, bigint>(),
      served: 0n,
      isCharged: false,
      isAnswered: false,
      isGivenUp: false,
    };
    this.wanted.set(toHex(resource), wanted);
    return wanted;
  }
}

/** True for what the library says when its disk has crashed. */
export function isCrash(error: unknown): boolean {
  return error instanceof LedgerError && error.code === 'vouchers.disk';
}
