import { beforeAll, describe, expect, test } from 'vitest';
import { Random } from '../../fuzz/random.ts';
import { editWords, PARAPHRASES, wordsOf } from './edits.ts';
import { controlRow, countsAgree, type Material, paraphraseRows, plantedRow, prepare } from './experiment.ts';
import { allSpeeches, splitSpeeches } from './speeches.ts';
import { markdown, scoreCells } from './tables.ts';

const SPEECHES = 42;
const options = { outputs: 20, seed: 3 };

describe('quotations of speeches, planted in other speeches', () => {
  let material: Material;
  beforeAll(() => {
    material = prepare(splitSpeeches(allSpeeches().slice(0, SPEECHES), 7));
  });

  test('the index counts what a search everywhere counts', () => {
    const { agree, present } = countsAgree(material, { outputs: 100, seed: 3 });
    expect(agree).toBe(100);
    expect(present).toBeGreaterThan(50);
    expect(present).toBeLessThan(100);
  });

  test('the speech that is quoted is named, and is worth most', () => {
    const score = plantedRow(material, { length: 32, share: 0 }, options);
    expect(score).toMatchObject({ outputs: 20, recalled: 20, first: 20 });
    expect(score.weightShare).toBeGreaterThan(0.8);
  });

  test('also when every tenth word is another', () => {
    const { recalled, first } = plantedRow(material, { length: 64, share: 0.1 }, options);
    expect([recalled, first]).toEqual([20, 20]);
  });

  test('where nothing is quoted few are named', () => {
    const { named, recalled } = controlRow(material, options);
    expect(recalled).toBe(0);
    expect(named).toBeLessThan(20);
  });

  test('what is said otherwise is missed: nobody should believe that it is found', () => {
    const rows = new Map(paraphraseRows(material, options).map(({ name, score }) => [name, score]));
    expect(rows.get('CAPITALS')?.recalled).toBeLessThan(4);
    expect(rows.get('said otherwise by a person')).toMatchObject({ outputs: 1, recalled: 0 });
    expect(rows.get('in curly quotation marks')?.recalled).toBe(20);
  });
});

test('edits are as many as asked for', () => {
  const words = wordsOf('One of three four five six seven eight nine ten ');
  const random = new Random(1);
  expect(words).toHaveLength(10);
  expect(editWords(words, { share: 0, vocabulary: ['x '], random })).toEqual(words);
  const edited = editWords(words, { share: 0.3, vocabulary: ['x '], random });
  // One of each kind: two of the ten are gone, two others came.
  expect(edited.filter((word) => word === 'x ')).toHaveLength(2);
  expect(words.filter((word) => !edited.includes(word))).toHaveLength(2);
  for (const paraphrase of Object.values(PARAPHRASES)) expect(paraphrase(words)).not.toBe(words.join(''));
});

test('a row of nobody has no precision', () => {
  const nobody = { outputs: 2, recalled: 0, named: 0, right: 0, first: 0, weightShare: 0 };
  expect(markdown(['a', 'b', 'c', 'd', 'e'], [scoreCells(nobody)])).toContain(
    '| 0.00 | 0.0 % | – | 0.0 % | – |',
  );
});
