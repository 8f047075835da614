/** The verifier against epochs of gateways that lied and that nobody disputed: trees and sums fit, the money is paid. */
import { expect, test } from 'vitest';
import { Refused } from '../../client/verifier/verify-payout.ts';
import { claim, explainOne } from './testing/scenes.ts';
import { type EpochLie, playEpoch } from './testing/epoch-scene.ts';

/** The claim of the first contributor, who is paid by rows 1 and 3: a position, and the Datanet as a whole. */
async function explained(lie: EpochLie): Promise<unknown> {
  const { chain, world, source } = playEpoch(100, lie);
  const hash = claim(chain, world.loop.first, { slots: [0n] });
  return await explainOne(chain, { kind: 'tx', hash }, source).catch((error: unknown) => error);
}

const LIES: readonly (readonly [refusal: RegExp, lie: EpochLie])[] = [
  [
    /has another split/,
    {
      receipt: (receipt) => {
        const { platform, contributors } = receipt.parts;
        const parts = { ...receipt.parts, platform: platform - 9n, contributors: contributors + 9n };
        return receipt.modelId === 1n ? { ...receipt, parts } : receipt;
      },
    },
  ],
  [/has another fee/, { receipt: (receipt) => ({ ...receipt, tokensOut: receipt.tokensOut + 7_000 }) }],
  [/is about another answer/, { receipt: (receipt) => ({ ...receipt, responseHash: receipt.requestHash }) }],
  [
    /is not its claim's/,
    { attribution: ({ unattributed, ...rest }) => ({ ...rest, unattributed: unattributed + 7n }) },
  ],
  [
    /is not its claim's/,
    {
      attribution: ({ entries, ...rest }) => ({
        ...rest,
        entries: entries.map(({ place, weight }, i) => ({ place, weight: i === 0 ? weight + 1n : weight })),
      }),
    },
  ],
  [
    /is not its claim's/,
    { attribution: ({ entries, ...rest }) => ({ ...rest, entries: entries.slice(0, 1) }) },
  ],
  [
    /a row is another sum/,
    {
      epoch: ({ commitment, ...rest }) => {
        const by = [0n, -2n, 0n, 2n];
        const rows = commitment.rows.map((row, i) => ({ ...row, amount: row.amount + (by[i] ?? 0n) }));
        return { ...rest, commitment: { ...commitment, rows } };
      },
    },
  ],
];

test.each(LIES)('%s', async (refusal, lie) => {
  const error = await explained(lie);
  expect(error).toBeInstanceOf(Refused);
  expect(error).toMatchObject({ message: expect.stringMatching(refusal) });
});

test('the same epoch without a lie is explained', async () => {
  expect(await explained({})).toMatchObject({ derived: [{ kind: 'claim' }] });
});
