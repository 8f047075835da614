/** `--only vouchers`: what vouchers cost their payee and the chain, beside bare checks of the same signatures. */
import { createPublicKey, type KeyObject, verify as verifyBare } from 'node:crypto';
import { adr036SignBytes } from '../../core/adr036.ts';
import { toHex, utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { isSignedBy, type SignedForm, type VerifySignature } from '../../client/vouchers/signatures.ts';
import { channelId } from '../../modules/channels/format/configuration.ts';
import { hashChainOf, leadsTo } from '../../modules/channels/format/hash-chain.ts';
import {
  LINKS_MAX,
  voucherBytes,
  type VoucherContent,
  voucherText,
} from '../../modules/channels/format/voucher.ts';
import { verifyEd25519 } from '../../node/crypto/ed25519.ts';
import { verifySecp256k1 } from '../../node/crypto/secp256k1.ts';
import {
  MsgClaimVouchers,
  MsgClaimVouchersResponse,
  MsgOpenChannel,
} from '../../proto/gen/openledger/channels/v1/tx.ts';
import { ModuleChain } from '../channels/chain.ts';
import {
  accountSigner,
  configOf,
  rowFor,
  sessionSigner,
  type TestSigner,
  voucherFor,
} from '../support/channels.ts';
import { testAccount } from '../support/test-chain.ts';
import { reportAhead } from './claims-ahead.ts';
import type { Report } from './report.ts';

const CHAIN = 'test-chain-1';
const DOMAIN = { chainId: CHAIN, denom: 'uopen', prefix: 'open' };
const KEYS = 64;
const VOUCHERS = 2_000;
const ROUNDS = 3;
const CHANNELS = 1_000;
const MICROSECONDS = 1_000_000;
/** Before a raw key: RFC 8410. */
const SPKI_ED25519 = Buffer.from('302a300506032b6570032100', 'hex');

/** Calls a second of processor time: what other load on the machine takes is not in it. The best of some rounds. */
function rate(calls: number, run: () => void): number {
  run();
  const best = Math.min(
    ...Array.from({ length: ROUNDS }, () => {
      const start = process.cpuUsage();
      run();
      const { user, system } = process.cpuUsage(start);
      return user + system;
    }),
  );
  return Math.round((calls * MICROSECONDS) / best);
}

interface Signed {
  readonly form: SignedForm;
  readonly signer: TestSigner;
  readonly voucher: VoucherContent;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

/** By each signer in turn; of a wallet, which has an account's key, by ADR-036 of the text. */
function signedBy(signers: readonly TestSigner[], form: SignedForm = 'plain'): readonly Signed[] {
  return Array.from({ length: VOUCHERS }, (_, i): Signed => {
    const signer = signers[i % signers.length];
    if (signer === undefined) throw new RangeError('no signers');
    const voucher = voucherFor(sha256(utf8(`channel ${i}`)), { cumulative: BigInt(i + 100) });
    const message =
      form === 'plain'
        ? voucherBytes(voucher, CHAIN)
        : adr036SignBytes(testAccount(nameOf(i % KEYS)).address, voucherText(voucher, DOMAIN));
    return { form, signer, voucher, message, signature: signer.sign(message) };
  });
}

function nameOf(key: number): string {
  return `bench ${key}`;
}

function all(signed: readonly Signed[], check: (one: Signed) => boolean): () => void {
  return () => {
    for (const one of signed) if (!check(one)) throw new Error('a good signature was refused');
  };
}

const verify: VerifySignature = ({ kind, key }, message, signature) =>
  kind === 1 ? verifyEd25519(key, message, signature) : verifySecp256k1(key, sha256(message), signature);

/** Vouchers verified as a payee does, links, and claims in the real modules. */
export async function reportVouchers({ row }: Report): Promise<Readonly<Record<string, number>>> {
  const names = Array.from({ length: KEYS }, (_, i) => nameOf(i));
  const accounts = names.map((name) => accountSigner(testAccount(name)));
  const kinds = {
    ed25519: signedBy(names.map(sessionSigner)),
    secp256k1: signedBy(accounts),
    'secp256k1, ADR-036': signedBy(accounts, 'adr036'),
  };
  const results: Record<string, number> = {};
  for (const [kind, signed] of Object.entries(kinds)) {
    const checked = rate(
      VOUCHERS,
      all(signed, ({ form, signer, voucher, signature }) =>
        isSignedBy({ voucher, signature, form }, signer.key, { domain: DOMAIN, verify }),
      ),
    );
    const bare = rate(VOUCHERS, all(signed, bareCheck(kind !== 'ed25519')));
    results[kind] = checked;
    row(
      'vouchers/verify',
      { kind },
      `${checked} a second of one core, ${bare} bare checks of the same bytes`,
    );
  }
  results['links'] = linksRow(row);
  results['claims'] = claimsRow(row);
  Object.assign(results, await reportAhead(row));
  return results;
}

/** The native check alone: keys are imported and digests made before. */
function bareCheck(isSecp256k1: boolean): (one: Signed) => boolean {
  const keys = new Map<string, KeyObject>();
  const digests = new Map<Uint8Array, Uint8Array>();
  return ({ signer, message, signature }) => {
    const { key } = signer.key;
    if (isSecp256k1) {
      const digest = digests.get(message) ?? sha256(message);
      digests.set(message, digest);
      return verifySecp256k1(key, digest, signature);
    }
    const text = toHex(key);
    const known =
      keys.get(text) ??
      createPublicKey({ key: Buffer.concat([SPKI_ED25519, key]), format: 'der', type: 'spki' });
    keys.set(text, known);
    return verifyBare(null, message, known, signature);
  };
}

function linksRow(row: Report['row']): number {
  const chain = hashChainOf(sha256(utf8('seed')), LINKS_MAX);
  const links = rate(LINKS_MAX, () => {
    for (let i = 1; i < chain.length; i++) {
      const [known, preimage] = [chain[i - 1], chain[i]];
      if (known === undefined || preimage === undefined || !leadsTo(known, preimage, 1))
        throw new Error('a good link was refused');
    }
  });
  row('vouchers/links', { links: LINKS_MAX }, `${links} a second of one core, one after another`);
  return links;
}

/** One message of a thousand rows, a channel each, from bytes to state; no transaction around it. */
function claimsRow(row: Report['row']): number {
  const payer = testAccount('bench payer');
  const receiver = testAccount('bench receiver');
  const chain = new ModuleChain([payer.address, receiver.address]);
  const session = sessionSigner('bench');
  const now = chain.block.time.seconds;
  const ids = Array.from({ length: CHANNELS }, (_, i) => {
    const config = configOf(
      { payer, receiver, now },
      { withdrawDelay: 60, openBefore: now + 60n, payerAuthorizer: session.key, salt: sha256(utf8(`${i}`)) },
    );
    const opened = chain.run(MsgOpenChannel, { config, deposit: '1000000' });
    if (!('response' in opened)) throw new Error(opened.log);
    return channelId(CHAIN, config);
  });
  let cumulative = 0n;
  const messages = Array.from({ length: ROUNDS + 1 }, () => {
    cumulative += 100n;
    const rows = ids.map((id) => rowFor(voucherFor(id, { cumulative }), { signer: session }));
    return { claimer: receiver.address, rows };
  });
  const bytes = MsgClaimVouchers.encode(messages[0] ?? MsgClaimVouchers.create()).length;
  const claims = rate(CHANNELS, () => {
    const message = messages.shift();
    const ran = message === undefined ? undefined : chain.run(MsgClaimVouchers, message);
    if (ran === undefined || !('response' in ran)) throw new Error('a good claim was refused');
    const { results } = MsgClaimVouchersResponse.decode(ran.response);
    if (results.some(({ paid }) => paid !== '100')) throw new Error('a row was not paid');
  });
  row(
    'vouchers/claims',
    { channels: CHANNELS },
    `${claims} rows a second of one core, ${Math.round(bytes / CHANNELS)} bytes each`,
  );
  return claims;
}
