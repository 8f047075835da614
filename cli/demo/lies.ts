/** Claims that are not true, and what the chain says to them. */
import { utf8 } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import { claimOf, openAnswer, payInference, provableContent, requestHash } from '../../client/index.ts';
import type { MsgPayInference } from '../../proto/gen/openledger/payments/v1/tx.ts';
import type { Purchase } from './inference.ts';
import { type DemoChain, deliverRow, type Party, signRow } from './party.ts';
import { balanceOf } from './stage.ts';

/** Enough for any refusal; a claim that fails cannot be simulated. */
const LIE_GAS = 400_000;

/** What became of a lie. */
export interface Refusal {
  readonly name: string;
  readonly log: string;
  readonly code: string;
  /** What the liar's balance lost, and the fee of the transaction, in base units. */
  readonly lost: bigint;
  readonly gasFee: bigint;
}

/** Tells three lies, one after another, and weighs the liar's purse around each. */
export async function tellLies(
  chain: DemoChain,
  payer: Party,
  honest: Purchase,
): Promise<readonly Refusal[]> {
  const refusals: Refusal[] = [];
  for (const [name, message] of liesOf(honest)) {
    const before = await balanceOf(chain, payer.address);
    const signed = await signRow({ party: payer, chain, rows: [[payInference(message)]], gas: LIE_GAS });
    const [tx] = await deliverRow(payer, signed);
    if (tx === undefined || tx.code === 0)
      throw new LedgerError('demo.lie', `the chain believed a lie (${name}); this must not happen`);
    const lost = before - (await balanceOf(chain, payer.address));
    const code = /^failed to execute message; message index: 0: /;
    refusals.push({
      name,
      log: tx.rawLog.replace(code, ''),
      code: `code ${tx.code}`,
      lost,
      gasFee: signed[0]?.gasFee ?? 0n,
    });
  }
  return refusals;
}

function liesOf(honest: Purchase): readonly (readonly [name: string, message: MsgPayInference])[] {
  const { message, answer } = honest;
  const [passage] = answer.passages;
  const [span] = message.claim.spans;
  if (passage === undefined || span === undefined)
    throw new LedgerError('demo.lie', 'there is no honest quotation to twist');
  const { document, answerOffset, sourceOffset, length } = passage;
  const twist = (bytes: Uint8Array, at: number): Uint8Array => {
    const twisted = Uint8Array.from(bytes);
    twisted.set(utf8('never').subarray(0, Math.min(5, length)), at);
    return twisted;
  };
  const answerBytes = twist(answer.content, answerOffset);
  const forgedDocument = provableContent(twist(document.content.content, sourceOffset));
  const { contributionId } = document;
  const quotation = { contributionId, source: forgedDocument, answerOffset, sourceOffset, length };
  const fresh = (name: string): MsgPayInference => ({
    ...message,
    requestHash: requestHash({ modelId: message.modelId, prompt: name, nonce: message.requestHash }),
  });
  return [
    ['a forged span', { ...fresh('forged span'), answer: openAnswer(answerBytes) }],
    [
      'a wrong root',
      { ...fresh('wrong root'), answer: openAnswer(answerBytes), claim: claimOf([quotation]) },
    ],
    [
      'an unknown contribution',
      {
        ...fresh('unknown contribution'),
        claim: { ...message.claim, spans: [{ ...span, contributionId: 1_000_000n }] },
      },
    ],
  ];
}
