/** The real library, brought back to any state by what it shows to everybody. */
import { toHex, utf8 } from '../../../core/bytes.ts';
import { LedgerError } from '../../../core/errors.ts';
import { sha256 } from '../../../core/hash.ts';
import type { Journal } from '../../../client/vouchers/journal.ts';
import type { ChannelMirror } from '../../../client/vouchers/mirror.ts';
import { Payee } from '../../../client/vouchers/payee.ts';
import { Payer } from '../../../client/vouchers/payer.ts';
import type { VerifySignature, VoucherSigner } from '../../../client/vouchers/signatures.ts';
import type { SignatureVerifier } from '../../../framework/tx/signature.ts';
import { channelId } from '../../../modules/channels/format/configuration.ts';
import type { ChannelConfig } from '../../../proto/gen/openledger/channels/v1/channels.ts';
import { configOf, sessionSigner, type TestSigner } from '../../support/channels.ts';
import { plainVerifier, type TestAccount, testAccount } from '../../support/test-chain.ts';
import { ModuleChain } from '../chain.ts';
import { openJournal } from '../journal.ts';
import { librarySigner, RECEIVER_ACCOUNT, RECEIVER_SIGNER, verifyNatively } from '../parties.ts';
import { CutDisk, type DiskImage, type PowerCut } from './disk.ts';
import { type ModelFaults, type ModelState, resourceOf, type Scenario } from './world.ts';

const CHAIN_ID = 'test-chain-1';
/** Seconds that what the payee knows may be old: less than from one block to the next. */
const MIRROR_AGE_MAX = 20;
const FAR_FUTURE = 1n << 40n;

/** Who pays. */
export const PAYER_ACCOUNT: TestAccount = testAccount('model payer');

const known = new Map<string, boolean>();

/** Signatures are made and looked at again and again: the answer is kept. */
function remembered(
  key: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
  ask: () => boolean,
): boolean {
  const name = [key, message, signature].map(toHex).join();
  const answer = known.get(name) ?? ask();
  known.set(name, answer);
  return answer;
}

const verify: VerifySignature = (key, message, signature) =>
  remembered(key.key, message, signature, () => verifyNatively(key, message, signature));

const verifier: SignatureVerifier = {
  verify(task) {
    const { pubKey, signBytes, signature } = task;
    return pubKey.kind === 'ed25519'
      ? remembered(pubKey.bytes, signBytes, signature, () => plainVerifier.verify(task))
      : plainVerifier.verify(task);
  },
};

const signers: TestSigner[] = [];

/** The payer's key of a version. */
export function payerKey(version: number): TestSigner {
  return (signers[version] ??= sessionSigner(`model ${version}`));
}

/** The receiver's signer. */
export const RECEIVER_LIBRARY_SIGNER: VoucherSigner = librarySigner(RECEIVER_SIGNER);

/** A chain before the channel is opened, and the channel. */
export function newChannel(): {
  readonly chain: ModuleChain;
  readonly config: ChannelConfig;
  readonly id: Uint8Array;
} {
  const chain = new ModuleChain([PAYER_ACCOUNT.address, RECEIVER_ACCOUNT.address], verifier);
  const config = configOf(
    { payer: PAYER_ACCOUNT, receiver: RECEIVER_ACCOUNT, now: chain.block.time.seconds },
    {
      withdrawDelay: 60,
      openBefore: chain.block.time.seconds + 500n,
      payerAuthorizer: payerKey(0).key,
      receiverAuthorizer: RECEIVER_SIGNER.key,
    },
  );
  return { chain, config, id: channelId(CHAIN_ID, config) };
}

const mirrors = new WeakMap<ModuleChain, ChannelMirror | undefined>();

/** What the chain of a state shows, which does not change any more. */
export function mirrorOf(chain: ModuleChain, id: Uint8Array): ChannelMirror | undefined {
  if (!mirrors.has(chain)) mirrors.set(chain, chain.mirror(id));
  return mirrors.get(chain);
}

/** What a step of a party runs in. */
export interface StepOptions {
  readonly scenario: Scenario;
  readonly faults: ModelFaults;
  readonly id: Uint8Array;
  readonly cut: PowerCut | undefined;
}

/** What came of a step of a party. */
export interface Stepped<T> {
  /** Undefined when the library said that the disk has failed: nothing leaves the party. */
  readonly result: T | undefined;
  readonly disk: DiskImage;
  readonly hasWritten: boolean;
  readonly isCut: boolean;
}

/** Runs a step of the payer. */
export async function asPayer<T>(
  s: ModelState,
  options: StepOptions,
  run: (payer: Payer) => Promise<T>,
): Promise<Stepped<T>> {
  const { scenario, faults, id, cut } = options;
  const disk = new CutDisk(s.payerDisk, cut, faults.lyingDisk === 'payer');
  const journal = await openJournal(disk, faults.waitless !== 'payer');
  const version = keyVersionOf(s, id);
  const payer = new Payer(
    { journal, verify, randomSeed: () => sha256(utf8('model seed')) },
    {
      id,
      domain: { chainId: CHAIN_ID, denom: 'uopen', prefix: 'open' },
      signer: librarySigner(payerKey(version)),
      keys: Array.from({ length: version + 1 }, (_, i) => payerKey(i).key),
      deposited: scenario.deposit,
      lanes: scenario.lanes,
    },
  );
  return stepped({ disk, journal, before: s.payerDisk }, () => run(payer));
}

/** The payer's key on the chain; a closed channel has none any more. */
function keyVersionOf({ chain }: ModelState, id: Uint8Array): number {
  return mirrorOf(chain, id)?.record.channel.keyVersion ?? 0;
}

/** Runs a step of the payee, which knows and serves what the state says. */
export async function asPayee<T>(
  s: ModelState,
  options: StepOptions,
  run: (payee: Payee) => Promise<T>,
): Promise<Stepped<T>> {
  const { faults, cut } = options;
  const disk = new CutDisk(s.payeeDisk, cut, faults.lyingDisk === 'payee');
  const journal = await openJournal(disk, faults.waitless !== 'payee');
  const policy = { chainId: CHAIN_ID, prefix: 'open', unclaimedMax: 1000n, mirrorAgeMax: MIRROR_AGE_MAX };
  const payee = new Payee({ journal, verify, now: () => s.chain.now }, policy);
  await takeUpJobs(payee, s);
  if (s.mirror !== undefined) payee.observe(s.mirror);
  return stepped({ disk, journal, before: s.payeeDisk }, () => run(payee));
}

/** What was being served is served again; that writes nothing. */
async function takeUpJobs(payee: Payee, s: ModelState): Promise<void> {
  for (const { request, signed } of s.jobs) {
    if (s.mirror === undefined) throw new RangeError('a job without a channel');
    payee.observe(asItWas(s.mirror, signed.voucher.keyVersion, s.chain.now));
    const taken = await payee.accept(signed, { resource: resourceOf(request), ceilingMin: 0n });
    if (taken.kind !== 'serve' || !taken.again) throw new RangeError(`a job is not taken up: ${taken.kind}`);
  }
}

/** The channel when a voucher of that key was taken. */
function asItWas(mirror: ChannelMirror, keyVersion: number, asOf: number): ChannelMirror {
  const { record } = mirror;
  const channel = { ...record.channel, keyVersion, withdrawal: undefined };
  return { ...mirror, record: { ...record, channel }, asOf, blockTime: FAR_FUTURE };
}

async function stepped<T>(
  given: { readonly disk: CutDisk; readonly journal: Journal; readonly before: DiskImage },
  run: () => Promise<T>,
): Promise<Stepped<T>> {
  const { disk, journal, before } = given;
  let result: T | undefined;
  try {
    result = await run();
  } catch (error) {
    if (!(error instanceof LedgerError) || error.code !== 'vouchers.disk') throw error;
  }
  await journal.close();
  const { hasWritten, isCut } = disk;
  return { result, disk: hasWritten ? await disk.image() : before, hasWritten, isCut };
}
