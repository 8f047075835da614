/** What the demo prints. */
import { Party } from '../../proto/gen/openledger/models/v1/models.ts';
import type { Settled } from './inference.ts';
import type { Refusal } from './lies.ts';
import { type Cells, fittedWidths, naturalWidths, paragraph, rowOf, tableOf } from './table.ts';

const EXPONENT = 6;

/**
 * Base units as an amount of the token: `0.123456 OPEN` for 123456 `uopen`. Other denoms stay as they are.
 */
export function money(amount: bigint, denom: string): string {
  if (!denom.startsWith('u')) return `${amount} ${denom}`;
  const digits = amount.toString().padStart(EXPONENT + 1, '0');
  return `${digits.slice(0, -EXPONENT)}.${digits.slice(-EXPONENT)} ${denom.slice(1).toUpperCase()}`;
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
/** Of these the table says as much as there is room for: answer, span, speech. */
const FLEXIBLE = [0, 1, 2];
/** Below this a record takes two lines: with one, nothing could be read of answer and span. */
const ONE_LINE_COLUMNS_MIN = 110;

/** One record for each contribution that an answer quotes: in one line, or in two on a narrow terminal. */
export function settlementTable(settled: readonly Settled[], columns: number): string {
  const rows = settled.flatMap((one, index) => settlementRows(one, index).map(cellsOf));
  const natural = naturalWidths([SETTLEMENT_HEADINGS, ...rows]);
  if (columns >= ONE_LINE_COLUMNS_MIN) {
    const widths = fittedWidths(natural, FLEXIBLE, columns);
    return tableOf(SETTLEMENT_HEADINGS, rows, { rightAligned: [4, 5], widths });
  }
  const upper = fittedWidths(natural.slice(0, 3), FLEXIBLE.slice(0, 2), columns);
  const lower = natural.slice(3);
  const lines = (cells: Cells): readonly string[] => [
    rowOf(cells.slice(0, 3), upper),
    `  ${rowOf(cells.slice(3), lower, [1, 2])}`,
  ];
  const rule = '─'.repeat(upper.reduce((sum, width) => sum + width + 2, -2));
  return [...lines(SETTLEMENT_HEADINGS), rule, ...rows.flatMap(lines), ''].join('\n');
}

/** What one contributor was owed before and after the payments, and claimed then, in base units. */
export interface Earnings {
  readonly name: string;
  readonly address: string;
  readonly before: bigint;
  readonly after: bigint;
  readonly claimed: bigint;
}

/** Who earned, and how much. */
export function earningsTable(earnings: readonly Earnings[], denom: string): string {
  const rows = earnings
    .filter(({ before, after }) => after !== before)
    .map(({ name, address, before, after, claimed }) => [
      name,
      shortAddress(address),
      money(after - before, denom),
      money(claimed, denom),
    ]);
  return tableOf(['contributor', 'account', 'earned', 'claimed'], rows, { rightAligned: [2, 3] });
}

/** A record of the table in full, as `--json` prints it. */
export interface SettlementRow {
  /** Number of the answer, from 1. */
  readonly answer: number;
  readonly question: string;
  readonly span: string;
  readonly speech: string;
  readonly contribution_id: string;
  readonly contributor: string;
  /** Weight of the contribution in the claim. */
  readonly share: { readonly weight: string; readonly of: string };
  /** Base units. */
  readonly payout: string;
  readonly denom: string;
  readonly tx_hash: string;
}

/** The records of one settled answer. */
export function settlementRows(settled: Settled, index: number): readonly SettlementRow[] {
  const { answer, explained, question, tx } = settled;
  const { receipt, claim } = explained;
  return answer.passages.map(({ document, text }): SettlementRow => {
    const { contributionId, canonicalId: canonical, title } = document;
    const share = claim?.shares.find((candidate) => candidate.contributionId === canonical);
    const payout = receipt.payouts.find((candidate) => candidate.contributionId === canonical);
    return {
      answer: index + 1,
      question: question.text,
      span: text,
      speech: title,
      contribution_id: `${contributionId}`,
      contributor: payout?.recipient ?? '',
      share: { weight: `${share?.weight ?? 0n}`, of: `${claim?.totalWeight ?? 1n}` },
      payout: payout?.amount ?? '0',
      denom: receipt.fee.denom,
      tx_hash: tx.hash,
    };
  });
}

function cellsOf(row: SettlementRow, i: number): Cells {
  return [
    i === 0 ? `${row.answer} ${row.question}` : '',
    `"${row.span.replace(/\s+/g, ' ')}"`,
    `#${row.contribution_id} ${row.speech}`,
    shortAddress(row.contributor),
    percentOf(BigInt(row.share.weight), BigInt(row.share.of)),
    money(BigInt(row.payout), row.denom),
    row.tx_hash.slice(0, HASH_CHARACTERS),
  ];
}

/** The full hash stands with each answer. */
const HASH_CHARACTERS = 12;

function percentOf(weight: bigint, total: bigint): string {
  const permille = (weight * 1000n) / total;
  return `${permille / 10n}.${permille % 10n} %`;
}

function shortAddress(address: string): string {
  return address.length <= 16 ? address : `${address.slice(0, 8)}…${address.slice(-4)}`;
}

/** The full answer, its receipt and its transaction. */
export function answerText(settled: Settled, index: number, columns: number): string {
  const { question, answer, explained, tx } = settled;
  const { receipt, claim } = explained;
  const said = new TextDecoder()
    .decode(answer.content)
    .split('\n')
    .map((line) => paragraph(line, '   ', columns));
  const seen =
    question.isPrivate === true ? ' (the chain saw the quotations and a root, not the answer)' : '';
  const fee = money(BigInt(receipt.fee.amount), receipt.fee.denom);
  const proof = `claim ${claim?.id ?? 0n} verified in the transaction, ${tx.gasUsed} gas`;
  return [
    paragraph(`${index + 1}. ${question.text}${seen}`, '', columns),
    ...said,
    paragraph(
      `receipt ${receipt.id}: ${fee} for ${receipt.tokensIn} + ${receipt.tokensOut} tokens; ${proof}`,
      '   ',
      columns,
    ),
    `   tx ${tx.hash}`,
    '',
  ].join('\n');
}

/** The chain's own reasons for each payout of a receipt (query `Explain`). */
export function reasonsText({ explained }: Settled, columns: number): string {
  const { receipt, reasons } = explained;
  return [
    `Why receipt ${receipt.id} paid what it paid:`,
    ...reasons.map((reason) => paragraph(reason, '   ', columns)),
    '',
  ].join('\n');
}

/** One lie and what it cost. */
export function refusalText(refusal: Refusal, denom: string, columns: number): string {
  const { name, log, code, lost, gasFee } = refusal;
  const verdict = lost === gasFee ? 'charged for gas only' : 'CHARGED MORE THAN GAS';
  return [
    `✗ ${name}: refused (${code})`,
    paragraph(log, '   ', columns),
    paragraph(
      `balance −${lost} ${denom}, the transaction's fee was ${gasFee} ${denom}: ${verdict}`,
      '   ',
      columns,
    ),
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
