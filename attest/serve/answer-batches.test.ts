import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LedgerError } from '../../core/errors.ts';
import { MsgServeChunk } from '../../proto/gen/openledger/attribution/v1/tx.ts';
import { answerBytes, limitsIn, packAnswers, passingAnswers } from './answer-batches.ts';
import type { ChunkAnswer, ServedPiece } from './answer-ports.ts';

function answer(id: number, bytes = 10): ChunkAnswer {
  return { requestId: BigInt(id), piece: { content: new Uint8Array(bytes), leaves: [], hashes: [] } };
}

const idsOf = (answers: readonly ChunkAnswer[]): readonly number[] =>
  answers.map(({ requestId }) => Number(requestId));

/** The same cases in each run: CONTRIBUTING.md. */
const bytesUpTo = (most: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength: most });

test('a message is never larger than what is counted for it', () => {
  const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
  const piece: fc.Arbitrary<ServedPiece> = fc.record({
    content: fc.oneof(bytesUpTo(300), fc.constant(new Uint8Array(16_384))),
    leaves: fc.array(fc.oneof(bytesUpTo(200), fc.constant(new Uint8Array(16_384))), { maxLength: 20 }),
    hashes: fc.array(hash, { maxLength: 40 }),
    node: bytesUpTo(100),
    nodeHashes: fc.array(hash, { maxLength: 40 }),
  });
  fc.assert(
    fc.property(piece, fc.bigInt({ min: 1n, max: (1n << 64n) - 1n }), (given, requestId) => {
      const server = `open1${'q'.repeat(58)}`;
      const value = MsgServeChunk.encode(MsgServeChunk.create({ server, requestId, ...given }));
      // Tag and length of the message among others, of its name and of its value.
      const bytes = MsgServeChunk.typeUrl.length + value.length + 3 * 4;
      expect(bytes).toBeLessThanOrEqual(answerBytes(given));
      expect(bytes).toBeGreaterThan(0.5 * answerBytes(given) - 160);
    }),
    { numRuns: 60 },
  );
});

test('transactions hold all answers in their order, and no more than fits', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 900 }), { maxLength: 60 }),
      fc.integer({ min: 1, max: 9 }),
      (sizes, answersMax) => {
        const answers = sizes.map((bytes, i) => answer(i, bytes));
        const packed = packAnswers(answers, { txBytesMax: 1_000, answersMax });
        expect(packed.flat()).toEqual(answers);
        const bytesOf = (each: readonly ChunkAnswer[]): number =>
          each.reduce((sum, { piece }) => sum + answerBytes(piece), 0);
        for (const [i, each] of packed.entries()) {
          expect(each.length).toBeLessThanOrEqual(answersMax);
          expect(each.length === 1 || bytesOf(each) <= 1_000).toBe(true);
          // The next one did not fit.
          const next = packed[i + 1]?.[0];
          if (next !== undefined)
            expect(each.length === answersMax || bytesOf([...each, next]) > 1_000).toBe(true);
        }
      },
    ),
  );
});

test('whatever is refused is found, everything else passes, in order and within the gas', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 40 }),
      fc.uniqueArray(fc.integer({ min: 0, max: 39 }), { maxLength: 6 }),
      fc.integer({ min: 1, max: 50 }),
      async (count, bad, gasMax) => {
        let simulations = 0;
        const refused: number[] = [];
        const chain = {
          async simulate(answers: readonly ChunkAnswer[]) {
            simulations++;
            if (idsOf(answers).some((id) => bad.includes(id))) throw new LedgerError('attest.refused', 'no');
            return answers.length;
          },
        };
        const answers = Array.from({ length: count }, (_, i) => answer(i));
        const onRefused = ({ requestId }: ChunkAnswer): void => void refused.push(Number(requestId));
        const passed = await passingAnswers(answers, { chain, gasMax, onRefused });
        const present = bad.filter((id) => id < count).sort((a, b) => a - b);
        expect(refused).toEqual(present);
        expect(idsOf(passed.flatMap((tx) => tx.answers))).toEqual(
          idsOf(answers).filter((id) => !bad.includes(id)),
        );
        for (const tx of passed) expect([tx.gas, tx.gas <= gasMax]).toEqual([tx.answers.length, true]);
        // A tree of halves over at most 40: six levels below its root for each that is refused.
        if (gasMax >= 40) expect(simulations).toBeLessThanOrEqual(1 + 12 * present.length);
      },
    ),
  );
});

test('one answer alone may have more gas than is used at a time', async () => {
  const chain = { simulate: async () => 70 };
  const options = { chain, gasMax: 50, onRefused: () => expect.unreachable() };
  const passed = await passingAnswers([answer(1), answer(2)], options);
  expect(passed.map(({ answers }) => idsOf(answers))).toEqual([[1], [2]]);
});

test('when nobody answers, nothing is refused', async () => {
  const lost = new LedgerError('attest.no_answer', 'nobody answers');
  const chain = { simulate: () => Promise.reject(lost) };
  const options = { chain, gasMax: 50, onRefused: () => expect.unreachable() };
  await expect(passingAnswers([answer(1), answer(2)], options)).rejects.toBe(lost);
});

test('half of a block is used: of a small one, of the default one, of one without limits', () => {
  expect(limitsIn({ bytesMax: 100_000, gasMax: 9 })).toEqual({
    txBytesMax: 49_488,
    waveBytesMax: 50_000,
    waveGasMax: 4,
  });
  const most = {
    txBytesMax: 261_632,
    waveBytesMax: 2_097_152,
    waveGasMax: Number.POSITIVE_INFINITY,
  };
  expect(limitsIn({ bytesMax: 4_194_304, gasMax: -1 })).toEqual(most);
  expect(limitsIn({ bytesMax: -1, gasMax: -1 })).toEqual(most);
});
