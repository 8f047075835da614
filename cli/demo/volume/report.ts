/** What the second act prints at its end. */
import { allocationsOf } from '../../../gateway/epochs/explain.ts';
import { defined } from '../../../core/errors.ts';
import { toHex } from '../../../core/bytes.ts';
import { type DeltaRow, type Place, PlaceKind } from '../../../proto/gen/openledger/settlement/v1/epoch.ts';
import type { Contribution } from '../../../proto/gen/openledger/datanet/v1/datanet.ts';
import type { Settled } from '../inference.ts';
import { money } from '../report.ts';
import { paragraph } from '../table.ts';
import { grouped, type Volume } from './volume.ts';

/** The equation of the epoch, and what it cost the chain. */
export function volumeText(
  { traffic, sums, stated, steps, seconds, claimed }: Volume,
  denom: string,
): string {
  const { platform, models, stakers, contributors } = sums;
  const bytes = steps.reduce((sum, step) => sum + step.bytes, 0);
  const rate = Math.round(traffic.inferences / seconds.answers);
  return [
    `${grouped(traffic.inferences)} inferences in ${steps.length} transactions, ${grouped(bytes)} bytes on chain: ` +
      `${(bytes / traffic.inferences).toFixed(2)} bytes an inference`,
    `${rate} answers/s with vouchers, receipts and their checks; ${seconds.all.toFixed(1)} s from channels to claims`,
    `${traffic.charged} ${denom} charged = ${platform} platform + ${models} model + ${stakers} stakers + ${contributors} contributors (epoch ${stated.epochId})`,
    `Contributors claimed ${claimed} ${denom} from their pools: every unit of it`,
  ].join('\n');
}

/** The same for programs: amounts as texts. */
export function volumeRecord(volume: Volume, denom: string): Readonly<Record<string, unknown>> {
  const { traffic, sums, stated, steps, seconds, earned, claimed, finalHeight } = volume;
  const { platform, models: model, stakers, contributors } = sums;
  const parts = { platform, model, stakers, contributors, charged: traffic.charged, earned, claimed };
  return {
    event: 'epoch',
    epoch_id: `${stated.epochId}`,
    inferences: traffic.inferences,
    denom,
    ...Object.fromEntries(Object.entries(parts).map(([name, amount]) => [name, `${amount}`])),
    final_height: `${finalHeight}`,
    steps: steps.map(({ name, bytes, gas }) => ({ name, bytes, gas: `${gas}` })),
    seconds,
  };
}

/** Why one contributor was paid: the place with the most money, down to a span. */
export function payoutText(
  { stated }: Volume,
  given: {
    readonly settled: readonly Settled[];
    /** All that the answers quote. */
    readonly contributions: readonly Contribution[];
    readonly denom: string;
    readonly columns: number;
  },
): string {
  const row = largestRow(stated.epoch.commitment.rows);
  if (row === undefined) return '';
  const { settled, contributions, denom, columns } = given;
  const { title, contributor, id } = defined(
    contributionAt(contributions, row.place),
    'contribution of a row',
  );
  const reasons = [...allocationsOf(stated.epoch, row.place)];
  const [first] = reasons;
  const say = (text: string, indent: string): string => paragraph(text, indent, columns);
  const lines = [
    say(`Why was ${contributor} paid ${money(row.amount, denom)} by epoch ${stated.epochId}?`, ''),
    say(`for contribution ${id} "${title}", by ${grouped(reasons.length)} of its receipts;`, '  '),
  ];
  if (first === undefined) return lines.join('\n');
  const { receipt, allocation } = first;
  const { platform, model, stakers, contributors } = receipt.parts;
  const source = settled.find(
    ({ explained: { claim } }) => claim && same(claim.answerRoot, receipt.responseHash),
  );
  const { question, answer, tx, explained } = defined(source, 'answer of a receipt');
  const claim = defined(explained.claim, 'claim of an answer');
  const share = defined(
    claim.shares.find(({ contributionId }) => contributionId === id),
    'share of a contribution that was paid',
  );
  const passage = defined(
    answer.passages.find(({ document }) => document.canonicalId === id),
    'passage of a contribution that was paid',
  );
  lines.push(
    say(
      `receipt ${allocation.receipt}: channel ${toHex(receipt.channel).slice(0, 12)}, lane ${receipt.lane}, ` +
        `"${question.text}", ${receipt.tokensIn} tokens in, ${receipt.tokensOut} out: ` +
        `${receipt.after - receipt.before} = ${platform} platform + ${model} model + ${stakers} stakers + ${contributors} contributors;`,
      '  ',
    ),
    say(
      `of these ${contributors}, weight ${share.weight} of ${claim.totalWeight} is ${allocation.amount} ${denom}, ` +
        `by claim ${claim.id}, which transaction ${tx.hash.slice(0, 12)} verified and paid;`,
      '  ',
    ),
    say(
      `its span: bytes ${passage.sourceOffset} to ${passage.sourceOffset + passage.length} of the speech: ` +
        `"${passage.text.replace(/\s+/g, ' ')}"`,
      '  ',
    ),
  );
  return lines.join('\n');
}

/**
 * The contribution that a place is of. What a speech earns goes to its first contribution, so the place may
 * be in the Datanet of an earlier run.
 */
export function contributionAt(
  contributions: readonly Contribution[],
  { id, index }: Place,
): Contribution | undefined {
  return contributions.find(({ datanetId, position }) => datanetId === id && position === BigInt(index));
}

function largestRow(rows: readonly DeltaRow[]): DeltaRow | undefined {
  const named = rows.filter(({ place }) => place.kind === PlaceKind.PLACE_KIND_DATANET && place.level === 0);
  return named.reduce<DeltaRow | undefined>(
    (most, row) => (most === undefined || row.amount > most.amount ? row : most),
    undefined,
  );
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return toHex(a) === toHex(b);
}
