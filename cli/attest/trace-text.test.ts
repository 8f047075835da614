import { describe, expect, test } from 'vitest';
import { Corpus } from '../../attest/query/corpus.ts';
import { naiveShard, textDocument } from '../../attest/testing/naive-shard.ts';
import { reportOf, type TraceReport } from '../../attest/trace/report.ts';
import { traceOutput } from '../../attest/trace/trace.ts';
import { traceText } from './trace-text.ts';

const QUOTE = 'the state of the union is strong because its people look after each other in hard winters';
const OUTPUT = `As was once said,\n${QUOTE}, and \u001b[31mnobody\u001b[0m objected.`;

function reportFor(output: string): TraceReport {
  const documents = [
    textDocument(1, `Fellow citizens: ${QUOTE}. I thank you \u001b]0;owned\u0007 all.`),
    ...Array.from({ length: 12 }, (_, i) =>
      textDocument(i + 2, `Letter ${i}: people look after each other in hard times, number ${i}`),
    ),
  ];
  const corpus = new Corpus([naiveShard(documents)]);
  const trace = traceOutput(new TextEncoder().encode(output), corpus);
  return reportOf(trace, { documents: corpus.documents, titleOf: (id) => `Text\n${id}` });
}

const report = reportFor(OUTPUT);

describe.each([40, 80, 120])('in %i columns', (columns) => {
  const plain = traceText(report, { columns, colours: false });
  const painted = traceText(report, { columns, colours: true });

  test('no line is wider', () => {
    for (const line of plain.split('\n')) expect([line, line.length <= columns]).toEqual([line, true]);
  });

  test('what a text would do to the terminal is shown, not done', () => {
    expect(plain).not.toContain('\u001b');
    expect(plain).toContain('␛[31mnobody');
    expect(painted).not.toContain('\u001b[31m');
    expect(painted).not.toContain('\u001b]');
    expect(painted).not.toContain('\u0007');
  });

  test('the passage is marked, with its number', () => {
    const flat = plain.replace(/\s+/g, ' ');
    expect(flat).toContain(`said, «${QUOTE}»[1], and`);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what colours are made of
    const bare = painted.replace(/\u001b\[[0-9;]*m/g, '').replace(/\s+/g, ' ');
    expect(bare).toContain(`said, ${QUOTE}[1], and`);
    expect(painted).toContain('\u001b[30;43mstate');
  });

  test('the passage in its document, with as much around it as there is room for', () => {
    const flat = plain.replace(/\s+/g, ' ');
    expect(flat).toMatch(/….*«the state of the union/);
    const shown = plain.slice(plain.indexOf('#1 '), plain.indexOf('share'));
    expect(shown.split('\n').length).toBeLessThan(12);
  });

  test('documents and contributors', () => {
    expect(plain).toContain('#1 Text 1\n');
    expect(plain).toMatch(/weight +share\n/);
    expect(plain).toMatch(/100\.00 %\n/);
  });
});

test('of many documents the first ten; the rest is counted', () => {
  const contents = Array.from({ length: 12 }, (_, i) =>
    Array.from({ length: 12 }, (__, k) => `w${i}x${k}`).join(' '),
  );
  const corpus = new Corpus([naiveShard(contents.map((content, i) => textDocument(i + 1, content)))]);
  const trace = traceOutput(new TextEncoder().encode(contents.join('. ')), corpus);
  const text = traceText(reportOf(trace, { documents: 12 }), { columns: 80, colours: false });
  expect(text.match(/^contribution \d+$/gm)).toHaveLength(10);
  expect(text).toContain('… and 2 documents more');
  expect(traceText(reportFor('nothing'), { columns: 80, colours: false })).toContain(
    '0 passages of the output',
  );
});
