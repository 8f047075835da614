/** What the demo prints. */
import { Party } from '../../proto/gen/openledger/models/v1/models.ts';
import type { Settled } from './inference.ts';
import type { Refusal } from './lies.ts';

const EXPONENT = 6;

/**
 * Base units as an amount of the token: `0.123456 OPEN` for 123456 `uopen`. Other denoms stay as they are.
 */
export function money(amount: bigint, denom: string): string {
  if (!denom.startsWith('u')) return `${amount} ${denom}`;
  const digits = amount.toString().padStart(EXPONENT + 1, '0');
  return `${digits.slice(0, -EXPONENT)}.${digits.slice(-EXPONENT)} ${denom.slice(1).toUpperCase()}`;
}

type Cells = readonly string[];

/** Columns of text; those named are aligned to the right. */
function tableOf(headings: Cells, rows: readonly Cells[], rightAligned: readonly number[]): string {
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((cells) => cells[column]?.length ?? 0)),
  );
  const line = (cells: Cells): string =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return rightAligned.includes(column) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '─'.repeat(width)).join('  ');
  return [line(headings), rule, ...rows.map(line), ''].join('\n');
}

const SETTLEMENT_HEADINGS = [
  'answer',
  'span',
  'speech',
  'contributor',
  'share',
  'payout',
  'tx hash',
] as const;

/** One line for each contribution that an answer quotes. */
export function settlementTable(settled: readonly Settled[]): string {
  return tableOf(SETTLEMENT_HEADINGS, settled.flatMap(rowsOf), [4, 5]);
}

/** What one contributor's account held before and after the payments, in base units. */
export interface Earnings {
  readonly name: string;
  readonly address: string;
  readonly before: bigint;
  readonly after: bigint;
}

/** Whose balance rose, and by how much. */
export function earningsTable(earnings: readonly Earnings[], denom: string): string {
  const rows = earnings
    .filter(({ before, after }) => after !== before)
    .map(({ name, address, before, after }) => [
      name,
      shortAddress(address),
      `${before}`,
      `${after}`,
      money(after - before, denom),
    ]);
  return tableOf(['contributor', 'account', `${denom} before`, `${denom} after`, 'earned'], rows, [2, 3, 4]);
}

function rowsOf(settled: Settled, index: number): readonly Cells[] {
  const { answer, explained, question, tx } = settled;
  const { receipt, claim } = explained;
  return answer.passages.map(({ document, text }, i): Cells => {
    const { contributionId, canonicalId: canonical, title } = document;
    const share = claim?.shares.find((candidate) => candidate.contributionId === canonical);
    const payout = receipt.payouts.find((candidate) => candidate.contributionId === canonical);
    const percent = share === undefined ? '' : percentOf(share.weight, claim?.totalWeight ?? 1n);
    return [
      i === 0 ? `${index + 1} ${shorten(question.text, 28)}` : '',
      `"${shorten(text, 36)}"`,
      `${title} (#${contributionId})`,
      shortAddress(payout?.recipient ?? ''),
      percent,
      payout === undefined ? '' : money(BigInt(payout.amount), receipt.fee.denom),
      tx.hash.slice(0, 12),
    ];
  });
}

function percentOf(weight: bigint, total: bigint): string {
  const permille = (weight * 1000n) / total;
  return `${permille / 10n}.${permille % 10n} %`;
}

function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).trimEnd()}…`;
}

function shortAddress(address: string): string {
  return address.length <= 16 ? address : `${address.slice(0, 8)}…${address.slice(-4)}`;
}

/** The full answer, its receipt and its transaction. */
export function answerText({ question, answer, explained, tx }: Settled, index: number): string {
  const { receipt, claim } = explained;
  const said = new TextDecoder()
    .decode(answer.content)
    .split('\n')
    .map((line) => `   ${line}`);
  const seen =
    question.isPrivate === true ? ' (the chain saw the quotations and a root, not the answer)' : '';
  const fee = money(BigInt(receipt.fee.amount), receipt.fee.denom);
  const proof = `claim ${claim?.id ?? 0n} verified in the transaction, ${tx.gasUsed} gas`;
  return [
    `${index + 1}. ${question.text}${seen}`,
    ...said,
    `   receipt ${receipt.id}: ${fee} for ${receipt.tokensIn} + ${receipt.tokensOut} tokens; ${proof}`,
    `   tx ${tx.hash}`,
    '',
  ].join('\n');
}

/** The chain's own reasons for each payout of a receipt (query `Explain`). */
export function reasonsText({ explained }: Settled): string {
  const { receipt, reasons } = explained;
  return [
    `Why receipt ${receipt.id} paid what it paid:`,
    ...reasons.map((reason) => `   ${reason}`),
    '',
  ].join('\n');
}

/** One lie and what it cost. */
export function refusalText({ name, log, code, lost, gasFee }: Refusal, denom: string): string {
  const verdict = lost === gasFee ? 'charged for gas only' : 'CHARGED MORE THAN GAS';
  return [
    `✗ ${name}: refused (${code})`,
    `   ${log}`,
    `   balance −${lost} ${denom}, the transaction's fee was ${gasFee} ${denom}: ${verdict}`,
    '',
  ].join('\n');
}

/** Sums over receipts, in base units. */
export interface Sums {
  readonly fee: bigint;
  readonly platform: bigint;
  readonly model: bigint;
  readonly stakers: bigint;
  readonly contributors: bigint;
}

/** Adds up the payouts of receipts, by party, as they were read back from the chain. */
export function sumsOf(settled: readonly Settled[]): Sums {
  const payouts = settled.flatMap(({ explained }) => explained.receipt.payouts);
  const of = (party: Party): bigint =>
    payouts.reduce((sum, payout) => (payout.party === party ? sum + BigInt(payout.amount) : sum), 0n);
  return {
    fee: settled.reduce((sum, { explained }) => sum + BigInt(explained.receipt.fee.amount), 0n),
    platform: of(Party.PARTY_PLATFORM),
    model: of(Party.PARTY_MODEL),
    stakers: of(Party.PARTY_STAKERS),
    contributors: of(Party.PARTY_CONTRIBUTORS),
  };
}

/** True when what was paid is what was received. */
export function balances(sums: Sums): boolean {
  return sums.fee === sums.platform + sums.model + sums.stakers + sums.contributors;
}

/** The equation, in base units, as one line. */
export function equation(sums: Sums, denom: string): string {
  const { fee, platform, model, stakers, contributors } = sums;
  const sign = balances(sums) ? '=' : '≠';
  return `${fee} ${denom} paid ${sign} ${platform} platform + ${model} model + ${stakers} stakers + ${contributors} contributors`;
}
