/** What is there while channels are fuzzed: the chain, the parties, what is under way. */
import { toHex } from '../../core/bytes.ts';
import type { LaneSnapshot } from '../../client/vouchers/payee.ts';
import type { SignedVoucher } from '../../client/vouchers/signatures.ts';
import type { ClaimRow } from '../../proto/gen/openledger/channels/v1/tx.ts';
import { Random } from '../operations/random.ts';
import { ModuleChain } from './chain.ts';
import { type Faults, PayeeParty, PayerParty, RECEIVER_ACCOUNT, type Wanted } from './parties.ts';

/** What is under way between the parties. */
export type Letter = {
  readonly party: PayerParty;
  readonly channel: string;
  readonly signed: SignedVoucher;
} & (
  | { readonly kind: 'voucher'; readonly resource: Uint8Array; readonly ceiling: bigint }
  | { readonly kind: 'link'; readonly preimage: Uint8Array }
  | { readonly kind: 'go-on'; readonly index: number }
  | { readonly kind: 'answer'; readonly charged: bigint }
  | { readonly kind: 'corrective'; readonly lane: LaneSnapshot }
  | { readonly kind: 'refused'; readonly reason: string }
);

/** A request that the payee serves. */
export interface Job {
  readonly party: PayerParty;
  readonly signed: SignedVoucher;
  readonly wanted: Wanted;
  index: number;
}

/** A property did not hold. */
export class Violation extends Error {}

const LETTERS_MAX = 60;
const CHAIN_ID = 'test-chain-1';

/** See the file comment. */
export class FuzzWorld {
  readonly random: Random;
  readonly chain: ModuleChain;
  readonly payee: PayeeParty;
  /** The last one also signs behind the library's back. */
  readonly payers: readonly PayerParty[];
  /** How often what has happened. */
  readonly counts: Map<string, number> = new Map<string, number>();
  letters: Letter[] = [];
  jobs: Job[] = [];
  /** Of claims that were made. */
  oldRows: ClaimRow[] = [];
  /** When the payee last looked at the chain. */
  observedAt = 0;
  /** No faults at the moment. */
  isQuiet = false;
  /** What the receiver got of a channel that has ended, by id in hex. */
  readonly paid: Map<string, bigint> = new Map<string, bigint>();

  constructor(seed: number, faults: Faults) {
    const random = new Random(seed);
    this.random = random;
    this.payers = ['fuzz a', 'fuzz b', 'fuzz c'].map(
      (name, i) => new PayerParty(name, { random, faults, chainId: CHAIN_ID, isRogue: i === 2 }),
    );
    const accounts = [...this.payers.map(({ account }) => account.address), RECEIVER_ACCOUNT.address];
    this.chain = new ModuleChain(accounts);
    this.payee = new PayeeParty(random, faults, { now: () => this.chain.now, chainId: CHAIN_ID });
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  /** @throws Violation when it does not hold */
  expect(holds: boolean, problem: string): void {
    if (!holds) throw new Violation(problem);
  }

  /** The head of a letter between this payer and the payee. */
  to(party: PayerParty, signed: SignedVoucher): Pick<Letter, 'party' | 'channel' | 'signed'> {
    return { party, channel: toHex(party.id), signed };
  }

  send(letter: Letter): void {
    if (this.letters.length < LETTERS_MAX) this.letters.push(letter);
  }
}

/** A charge that may have been written. */
export function raise({ wanted, signed }: Job, charge: bigint): void {
  const voucher = toHex(signed.signature);
  wanted.charges.set(voucher, larger(wanted.charges.get(voucher) ?? 0n, charge));
}

export function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
