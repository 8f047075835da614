/** Payouts of test chains, explained, for tests of `explain` and of the verifier. */
import { toUpperHex } from '../../../core/bytes.ts';
import { defined } from '../../../core/errors.ts';
import { sha256 } from '../../../core/hash.ts';
import { committedAnswer, provableContent, proveSpan } from '../../../modules/attribution/prove.ts';
import { PoolKind } from '../../../proto/gen/openledger/pools/v1/pools.ts';
import { MsgClaim } from '../../../proto/gen/openledger/pools/v1/tx.ts';
import { Claim } from '../../../proto/gen/openledger/attribution/v1/attribution.ts';
import {
  deliverOk,
  type Loop,
  LOOP_GAS,
  payInference,
  paymentOf,
  playLoop,
  type Quote,
  SHORT_EPOCHS,
} from '../../../test/support/economic-loop.ts';
import { anyOf, type TestAccount } from '../../../test/support/test-chain.ts';
import type { Explained } from '../collect.ts';
import type { Subject } from '../command.ts';
import type { EpochSource } from '../epochs.ts';
import { explain } from '../run.ts';
import { RecordedChain } from './recorded-chain.ts';

/** A chain on which an answer can be paid. */
export interface Scene {
  readonly chain: RecordedChain;
  readonly loop: Loop;
}

/** The economic loop; weights count from the end of their block on. */
export function playScene(): Scene {
  const chain = new RecordedChain({ accounts: 6, genesis: { sections: SHORT_EPOCHS } });
  return { chain, loop: playLoop(chain) };
}

/** A hundred bytes of contribution 1 and fifty of contribution 2. */
export function bothQuotes({ loop: { documents } }: Pick<Scene, 'loop'>): readonly Quote[] {
  return [
    { contributionId: 1n, document: documents[0], offset: 200, length: 100 },
    { contributionId: 2n, document: documents[1], offset: 10, length: 50 },
  ];
}

/** Pays for an answer with these quotations. */
export function pay({ chain, loop }: Pick<Scene, 'chain' | 'loop'>, quotes: readonly Quote[]): void {
  const requestHash = sha256(Uint8Array.of(Number(chain.height)));
  deliverOk(chain, loop.payer, paymentOf(payInference(loop.payer, quotes, { requestHash })));
}

/** Pays for an answer that nobody is shown but for what it quotes of contribution 1. */
export function payPrivately({ chain, loop }: Scene): void {
  const { payer, documents } = loop;
  const [source] = documents;
  const answer = provableContent(source.content.subarray(300, 900));
  const at = { contributionId: 1n, source, answerOffset: 260, sourceOffset: 560, length: 40 };
  const claim = Claim.create({ spans: [proveSpan({ ...at, committedAnswer: answer })] });
  const message = payInference(payer, [], { claim, answer: committedAnswer(answer) });
  deliverOk(chain, payer, paymentOf({ ...message, requestHash: sha256(Uint8Array.of(99)) }));
}

/** Claims from slots of a pool, then makes the block after it; the transaction's hash. */
export function claim(
  chain: RecordedChain,
  owner: TestAccount,
  {
    kind = PoolKind.POOL_KIND_DATANET,
    slots,
  }: { readonly kind?: PoolKind; readonly slots: readonly bigint[] },
): string {
  const message = { owner: owner.address, pools: [{ pool: { kind, subject: 1n }, slots: [...slots] }] };
  const tx = chain.sign(owner, [anyOf(MsgClaim, message)], { gas: LOOP_GAS });
  const { code, log } = chain.deliver(tx);
  if (code !== 0) throw new RangeError(log);
  chain.block();
  return toUpperHex(sha256(tx));
}

/** What `explain` says of one block. */
export async function explainOne(
  chain: RecordedChain,
  subject: Subject,
  source?: EpochSource,
): Promise<Explained> {
  const { explained } = await explain(chain, { subject, receiptsMax: 100 }, source);
  return defined(explained[0], 'explained');
}

/** Two answers that quote, one that quotes nothing, and the claim of the first contributor. */
export async function claimScene(): Promise<Explained> {
  const scene = playScene();
  const quotes = bothQuotes(scene);
  for (const spans of [quotes, quotes.slice(0, 1), []]) pay(scene, spans);
  const hash = claim(scene.chain, scene.loop.first, { slots: [0n] });
  return await explainOne(scene.chain, { kind: 'tx', hash });
}
