/** What was derived, for a person and for a program. */
import type {
  Derived,
  DerivedAllocation,
  DerivedClaim,
  DerivedClaimPayout,
  DerivedCredit,
  DerivedEpoch,
  DerivedReceipt,
  Parts,
} from '../../client/verifier/types.ts';
import type { ExplainSettings } from './command.ts';
import { receivedText } from './received.ts';
import type { Explanations } from './run.ts';

const SCALE = 2 ** 64;
const SHORT_MAX = 200;

/** What is proved, and what is not. */
const BASIS = {
  payouts: 'verified: each follows from the block hash in its "trusted"',
  received: "the node's word: events of blocks, of which there are no proofs",
} as const;

/** One JSON object: what each bundle derives, and from which block hash; and the blocks of which nothing is. */
export function jsonText({ explained, received, unexplained }: Explanations): string {
  const payouts = explained.map(({ derived, trusted }) => ({ trusted, derived }));
  const plain = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}` : value);
  return `${JSON.stringify({ payouts, received, basis: BASIS, unexplained }, plain, 2)}\n`;
}

/** The whole report. */
export function reportText(
  { explained, received }: Omit<Explanations, 'unexplained'>,
  { proofs }: Pick<ExplainSettings, 'proofs'>,
): string {
  const lines = explained.flatMap(({ derived, trusted }) => [
    ...derived.flatMap((each) => [...derivedLines(each), '']),
    `All of this follows from block ${trusted.height}, hash ${trusted.hash}.`,
    ...(proofs === undefined
      ? []
      : [
          `Without this program: node verify-payout.ts ${proofs} --height ${trusted.height} --hash ${trusted.hash}`,
        ]),
    '',
  ]);
  const told =
    received.length === 0
      ? []
      : [
          ...received.map(receivedText),
          'That is what the node tells in its events; there are no proofs of it.',
          '',
        ];
  return [...lines, ...told].join('\n');
}

function derivedLines(derived: Derived): readonly string[] {
  return derived.kind === 'receipt' ? receiptLines(derived.receipt) : claimLines(derived);
}

function claimLines(claim: DerivedClaimPayout): readonly string[] {
  const { amount, denom, owner, slot, pool, height, weight, credits } = claim;
  return [
    `${amount}${denom} to ${owner}: slot ${slot} of pool ${pool}, claimed in block ${height}, weight ${weight}`,
    `  = ${units(claim.carried)} carried + ${credits.length} credits − ${units(claim.left)} for later`,
    ...credits.flatMap((credit) => indented(creditLines(credit, denom))),
  ];
}

function creditLines(
  { id, height, amount, share, receipt, epoch }: DerivedCredit,
  denom: string,
): readonly string[] {
  return [
    `${units(share)}${denom} of credit ${id} (${amount}${denom}, block ${height})`,
    ...indented(receipt === null ? [] : receiptLines(receipt)),
    ...indented(epoch === null ? [] : epochLines(epoch, denom)),
  ];
}

function receiptLines(receipt: DerivedReceipt): readonly string[] {
  const { id, model, tokensIn, tokensOut, payer, fee, denom, parts, height, tx, claim, payouts } = receipt;
  return [
    `receipt ${id}: ${payer} paid model ${model} ${fee}${denom} for ${tokensIn} tokens in, ${tokensOut} out`,
    `  block ${height}, tx ${tx.toUpperCase()}`,
    `  split: ${partsText(parts)}`,
    ...payouts
      .filter(({ contribution, datanet }) => contribution + datanet > 0n)
      .map(({ amount, contribution, datanet, positions }) =>
        contribution > 0n
          ? `  contributors: ${amount}${denom} for contribution ${contribution}`
          : `  contributors: ${amount}${denom} to the first ${positions} positions of datanet ${datanet}: ` +
            'nobody in particular',
      ),
    ...indented(claim === null ? [] : attributionLines(claim)),
  ];
}

function epochLines(
  { id, row, gateway, amount, count, shown }: DerivedEpoch,
  denom: string,
): readonly string[] {
  const rest = count - shown.length;
  return [
    `epoch ${id} of gateway ${gateway}, row ${row}: ${amount}${denom} of ${count} receipts`,
    ...shown.flatMap((allocation) => indented(allocationLines(allocation, denom))),
    ...(rest === 0 ? [] : [`  ${rest} more receipts are not shown: see --gateway and --receipts`]),
  ];
}

function allocationLines(allocation: DerivedAllocation, denom: string): readonly string[] {
  const { number, amount, model, tokensIn, tokensOut, fee, parts, claim, channel, lane } = allocation;
  return [
    `${amount}${denom} of receipt ${number}: model ${model}, ${fee}${denom} for ${tokensIn} tokens in, ` +
      `${tokensOut} out; channel ${channel.slice(0, 16)}…, lane ${lane}`,
    `  split: ${partsText(parts)}`,
    ...indented(claim === null ? [] : attributionLines(claim)),
  ];
}

function attributionLines({ id, total, unattributed, shares, quotes }: DerivedClaim): readonly string[] {
  const parts = shares.map(
    ({ contribution, weight }) => `contribution ${contribution} ${percent(weight, total)}`,
  );
  const nobody = unattributed > 0n ? [`nobody ${percent(unattributed, total)}`] : [];
  return [
    `claim ${id}: ${[...parts, ...nobody].join(', ')}`,
    ...quotes.map(
      ({ contribution, contributor, sourceOffset, length, text }) =>
        `  quotes ${length} bytes from ${sourceOffset} on of contribution ${contribution} of ${contributor}: ` +
        `${JSON.stringify(text.length > SHORT_MAX ? `${text.slice(0, SHORT_MAX)}…` : text)}`,
    ),
  ];
}

function partsText({ platform, model, stakers, contributors }: Parts): string {
  return `platform ${platform}, model ${model}, stakers ${stakers}, contributors ${contributors}`;
}

/** A part of a base unit is shown to six places; what is reckoned with is exact. */
function units(scaled: bigint): string {
  const [whole, rest] = [scaled >> 64n, scaled & ((1n << 64n) - 1n)];
  return rest === 0n ? `${whole}` : `${whole}${(Number(rest) / SCALE).toFixed(6).slice(1)}`;
}

function percent(part: bigint, total: bigint): string {
  return total === 0n ? '0 %' : `${(Number((part * 10_000n) / total) / 100).toFixed(2)} %`;
}

function indented(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `  ${line}`);
}
