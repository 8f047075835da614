/** The verifier against epochs of gateways that lied and that nobody disputed: trees and sums fit, the money is paid. */
import { expect, test } from 'vitest';
import { Refused } from '../../client/verifier/verify-payout.ts';
import { sha256 } from '../../core/hash.ts';
import type { PublishedEpoch } from '../../gateway/epochs/published.ts';
import { NO_ATTRIBUTION } from '../../modules/settlement/proof/attribution.ts';
import { ALLOCATIONS, RECEIPTS } from '../../modules/settlement/proof/kinds.ts';
import {
  AMOUNT_AT,
  decodeReceipt,
  encodeReceipt,
  type Receipt,
} from '../../modules/settlement/proof/leaves.ts';
import { forgedTree, leavesOf } from '../../test/settlement/epochs/forged-tree.ts';
import { retold } from '../../test/settlement/epochs/tree-lies.ts';
import { claim, explainOne } from './testing/scenes.ts';
import { type EpochLie, playEpoch } from './testing/epoch-scene.ts';

/** The claim of the first contributor, who is paid by rows 1 and 3: a position, and the Datanet as a whole. */
async function explained(lie: EpochLie): Promise<unknown> {
  const { chain, world, source } = playEpoch(100, lie);
  const hash = claim(chain, world.loop.first, { slots: [0n] });
  return await explainOne(chain, { kind: 'tx', hash }, source).catch((error: unknown) => error);
}

/** A unit of the second row's first allocation is its second one's: the sum stays. */
function movedUnit(epoch: PublishedEpoch): PublishedEpoch {
  const begin = epoch.commitment.rows[0]?.end ?? 0;
  const leaves = leavesOf(epoch.allocations).map((leaf, i) => {
    const moved = Buffer.from(leaf);
    const by = i === begin ? -1n : i === begin + 1 ? 1n : 0n;
    moved.writeBigUInt64BE(moved.readBigUInt64BE(AMOUNT_AT) + by, AMOUNT_AT);
    return Uint8Array.from(moved);
  });
  return retold(epoch, { allocations: forgedTree(ALLOCATIONS, leaves) });
}

/** The first allocations of two rows, each in the other's place. */
function swapped(epoch: PublishedEpoch): PublishedEpoch {
  const [a = 0, b = 0] = epoch.commitment.rows.map(({ end }) => end);
  const leaves = leavesOf(epoch.allocations);
  const moved = leaves.map((leaf, i) => (i === a ? leaves[b] : i === b ? leaves[a] : leaf) ?? leaf);
  return retold(epoch, { allocations: forgedTree(ALLOCATIONS, moved) });
}

/** The second row has its first allocation twice, instead of another. */
function repeated(epoch: PublishedEpoch): PublishedEpoch {
  const begin = epoch.commitment.rows[0]?.end ?? 0;
  const leaves = leavesOf(epoch.allocations);
  const twice = leaves.map((leaf, i) => (i === begin + 1 ? (leaves[begin] ?? leaf) : leaf));
  return retold(epoch, { allocations: forgedTree(ALLOCATIONS, twice) });
}

/** The third row is the second again, with its place and its allocations; the model's takes up the difference. */
function rowTwice(epoch: PublishedEpoch): PublishedEpoch {
  const [model, row, next] = epoch.commitment.rows;
  if (!model || !row || next?.end !== 2 * row.end - model.end) throw new RangeError('rows of unlike lengths');
  const leaves = leavesOf(epoch.allocations).map((leaf) => Buffer.from(leaf));
  for (let i = model.end; i < row.end; i++)
    leaves[i + row.end - model.end] = Buffer.from(leaves[i] ?? Buffer.alloc(0));
  const by = next.amount - row.amount;
  let rest = by;
  for (const leaf of leaves.slice(0, model.end)) {
    const amount = leaf.readBigUInt64BE(AMOUNT_AT);
    const moved = rest > 1n - amount ? rest : 1n - amount;
    leaf.writeBigUInt64BE(amount + moved, AMOUNT_AT);
    rest -= moved;
  }
  const rows = epoch.commitment.rows.map((each, i) =>
    i === 0 ? { ...each, amount: each.amount + by } : i === 2 ? { ...row, end: each.end } : each,
  );
  return retold(epoch, { allocations: forgedTree(ALLOCATIONS, leaves) }, rows);
}

/** Of a lane's first charge there is a second receipt, instead of its last's. */
function chargedTwice(): EpochLie {
  let first: Receipt | undefined;
  return {
    receipt: (receipt, i) => {
      first ??= receipt;
      return i === 2 ? first : receipt;
    },
  };
}

/** The second row's first allocation is of other bytes, with the same sum. */
function reshaped(change: (leaf: Uint8Array) => readonly number[]): EpochLie {
  return {
    epoch: (epoch) => {
      const index = epoch.commitment.rows[0]?.end ?? 0;
      const leaves = leavesOf(epoch.allocations);
      const leaf = leaves[index] ?? new Uint8Array(0);
      const sums = [Buffer.from(leaf).readBigUInt64BE(AMOUNT_AT)];
      const other = leaves.with(index, Uint8Array.from(change(leaf)));
      return retold(epoch, { allocations: forgedTree(ALLOCATIONS, other, [{ level: 0, index, sums }]) });
    },
  };
}

/** Receipts name their attribution by other bytes. */
function renamed(change: (bytes: Uint8Array) => readonly number[]): EpochLie {
  return {
    epoch: (epoch) => {
      let other = new Uint8Array(0);
      const leaves = leavesOf(epoch.receipts).map((leaf) => {
        const receipt = decodeReceipt(leaf);
        if (receipt === undefined || Buffer.compare(receipt.attribution, NO_ATTRIBUTION) === 0) return leaf;
        other = Uint8Array.from(change(epoch.attribution(receipt.attribution) ?? other));
        return encodeReceipt({ ...receipt, attribution: sha256(other) });
      });
      return { ...retold(epoch, { receipts: forgedTree(RECEIPTS, leaves) }), attribution: () => other };
    },
  };
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
  [/gives another amount/, { epoch: movedUnit }],
  [/allocations do not rise/, { epoch: repeated }],
  [/two receipts are of one charge/, chargedTwice()],
  [/an epoch has two rows of a place/, { epoch: rowTwice }],
  [/an allocation is of another place/, { epoch: swapped }],
  [/a leaf is of another tree/, reshaped((leaf) => [33, ...leaf.subarray(1)])],
  [
    /a leaf or an attribution is malformed/,
    reshaped((leaf) => [...leaf.subarray(0, AMOUNT_AT), 0, ...leaf.subarray(AMOUNT_AT)]),
  ],
  [/an attribution is malformed/, renamed((bytes) => [...bytes, 0])],
  [/an attribution is malformed/, renamed((bytes) => [35, ...bytes.subarray(1)])],
];

test.each(LIES)('%s', async (refusal, lie) => {
  const error = await explained(lie);
  expect(error).toBeInstanceOf(Refused);
  expect(error).toMatchObject({ message: expect.stringMatching(refusal) });
});

test('the same epoch without a lie is explained', async () => {
  expect(await explained({})).toMatchObject({ derived: [{ kind: 'claim' }] });
});

test('two epochs of the same receipts', async () => {
  const { chain, world, published, source } = playEpoch(100);
  world.claim([0, 10_000n], [1, 7_000n]);
  world.settle(published);
  world.waitWindow();
  const hash = claim(chain, world.loop.first, { slots: [0n] });
  const explanation = explainOne(chain, { kind: 'tx', hash }, source);
  await expect(explanation).rejects.toThrow('two receipts are of one charge');
});
