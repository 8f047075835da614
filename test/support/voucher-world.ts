/** Both parties' library of vouchers, on a chain with an open channel. */
import { expect } from 'vitest';
import { utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { Journal, type JournalDisk } from '../../client/vouchers/journal.ts';
import { type Offer, Payee } from '../../client/vouchers/payee.ts';
import { Payer } from '../../client/vouchers/payer.ts';
import type { SignedVoucher, VerifySignature, VoucherSigner } from '../../client/vouchers/signatures.ts';
import { channelId } from '../../modules/channels/format/configuration.ts';
import { verifySecp256k1 } from '../../node/crypto/secp256k1.ts';
import type { SigningKey } from '../../proto/gen/openledger/channels/v1/channels.ts';
import {
  MsgClaimVouchers,
  MsgClaimVouchersResponse,
  MsgOpenChannel,
} from '../../proto/gen/openledger/channels/v1/tx.ts';
import { ModuleChain } from '../channels/chain.ts';
import { librarySigner, verifyNatively } from '../channels/parties.ts';
import { configOf, sessionSigner, type TestSigner } from './channels.ts';
import { type TestAccount, testAccount } from './test-chain.ts';

/** Whose channel it is. */
export const payerAccount: TestAccount = testAccount('library payer');
const receiver = testAccount('library receiver');
/** The key that vouchers are signed with. */
export const session: TestSigner = sessionSigner('library');
/** As the chain verifies. */
export const verify: VerifySignature = (key, message, signature) =>
  key.kind === 2
    ? verifySecp256k1(key.key, sha256(message), signature)
    : verifyNatively(key, message, signature);

/** A journal with nothing in it. */
export async function emptyJournal(sync: JournalDisk['sync'] = async () => undefined): Promise<Journal> {
  const disk = {
    read: async () => new Uint8Array(0),
    append: async () => undefined,
    sync,
    replace: async () => undefined,
    close: async () => undefined,
  };
  return Journal.open(disk);
}

interface VoucherWorldOptions {
  readonly deposit?: bigint;
  readonly unclaimedMax?: bigint;
  readonly signer?: VoucherSigner;
  readonly key?: SigningKey;
  /** Of both disks. */
  readonly sync?: JournalDisk['sync'];
}

/** A chain with an open channel, and both parties. */
export interface VoucherWorld {
  readonly chain: ModuleChain;
  /** Of the channel. */
  readonly id: Uint8Array;
  readonly payer: Payer;
  readonly payee: Payee;
  readonly journals: { readonly payer: Journal; readonly payee: Journal };
  /** Shows the payee the channel as it is now. */
  readonly observe: () => void;
  /** Claims all that can be claimed; what each row was paid. */
  readonly claim: () => readonly string[];
}

/** Opens the channel. */
export async function voucherWorld({
  deposit = 1000n,
  unclaimedMax = 500n,
  signer = librarySigner(session),
  key = session.key,
  sync,
}: VoucherWorldOptions = {}): Promise<VoucherWorld> {
  const chain = new ModuleChain([payerAccount.address, receiver.address]);
  const config = configOf(
    { payer: payerAccount, receiver, now: chain.block.time.seconds },
    { withdrawDelay: 60, openBefore: chain.block.time.seconds + 300n, payerAuthorizer: key },
  );
  expect(chain.run(MsgOpenChannel, { config, deposit: `${deposit}` })).toHaveProperty('response');
  const id = channelId('test-chain-1', config);
  const journals = { payer: await emptyJournal(sync), payee: await emptyJournal(sync) };
  const policy = { chainId: 'test-chain-1', prefix: 'open', unclaimedMax, mirrorAgeMax: 20 };
  const payee = new Payee({ journal: journals.payee, verify, now: () => chain.now }, policy);
  const payer = new Payer(
    { journal: journals.payer, verify, randomSeed: () => sha256(utf8('seed')) },
    {
      id,
      domain: { chainId: 'test-chain-1', denom: 'uopen', prefix: 'open' },
      signer,
      keys: [key],
      deposited: deposit,
      lanes: 4,
    },
  );
  const observe = (): void => {
    const mirror = chain.mirror(id);
    if (mirror !== undefined) payee.observe(mirror);
  };
  observe();
  const claim = (): readonly string[] => {
    const ran = chain.run(MsgClaimVouchers, { claimer: receiver.address, rows: payee.claims() });
    if (!('response' in ran)) throw new RangeError(ran.log);
    observe();
    return MsgClaimVouchersResponse.decode(ran.response).results.map(({ paid }) => paid);
  };
  return { chain, id, payer, payee, journals, observe, claim };
}

/** What names a request. */
export const resource = (name: string): Uint8Array => sha256(utf8(name));
/** An offer for all that a voucher allows. */
export const offerOf = ({ voucher }: SignedVoucher): Offer => ({
  resource: voucher.resource,
  ceilingMin: voucher.ceiling,
});
