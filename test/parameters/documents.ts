/** `docs/spec/parameters.md` and `docs/spec/hooks.md`, as the tables here have them. */
import { join } from 'node:path';
import { HOOKS } from './hooks.ts';
import { type Row, textOf } from './row.ts';
import { SECTIONS, type Section } from './sections.ts';

const SPEC = join(import.meta.dirname, '..', '..', 'docs', 'spec');

/** Both documents, by path. */
export function documents(): ReadonlyMap<string, string> {
  return new Map([
    [join(SPEC, 'parameters.md'), parametersDocument()],
    [join(SPEC, 'hooks.md'), hooksDocument()],
  ]);
}

function parametersDocument(): string {
  return [
    '# Parameters',
    '',
    'Every parameter of the chain, what it may be, and what its extremes do. One function checks what a genesis',
    'document says and what a `MsgUpdateParams` of governance says. Bounds that the Cosmos SDK has are the same;',
    'upper bounds that it lacks are there so that no block’s work or arithmetic can be unbounded.',
    '`npm run surface` writes this file from `test/parameters`, whose tests set each bound, and what is beyond it,',
    'by genesis and by message, and run blocks: it is refused with a reason, or hooks and invariants hold.',
    ...SECTIONS.flatMap(sectionTable),
    '',
  ].join('\n');
}

function sectionTable({ module, rows, check }: Section): readonly string[] {
  const place =
    module === 'consensus' ? 'The consensus part of the genesis document' : `Section \`${module}\``;
  return [
    '',
    `## ${module}`,
    '',
    `${place}; checked by ${check}.`,
    '',
    '| parameter | from | to | besides | at its extremes |',
    '| --- | --- | --- | --- | --- |',
    ...rows.map(rowText),
  ];
}

function rowText(row: Row): string {
  const start = `| \`${row.field}\` |`;
  if (row.kind === 'choice') return `${start} | | ${row.says} | ${row.extremes} |`;
  const { form, least, most, relation, extremes } = row;
  return `${start} ${textOf(form, least)} | ${textOf(form, most)} | ${relation} | ${extremes} |`;
}

function hooksDocument(): string {
  return [
    '# Hooks',
    '',
    'What modules do at the boundaries of a block, in this order, and what bounds the work. No hook throws on any state that',
    'messages can reach: `npm run sim:app` and `test/parameters` look for one that does. Figures for 10,000 and 1,000,000',
    'accounts: `npm run bench -- --only messages`. Written by `npm run surface` from `test/parameters/hooks.ts`.',
    '',
    '| module | when | work | bound | held by |',
    '| --- | --- | --- | --- | --- |',
    ...HOOKS.map(
      ({ module, when, work, bound, heldBy }) => `| ${module} | ${when} | ${work} | ${bound} | ${heldBy} |`,
    ),
    '',
  ].join('\n');
}
