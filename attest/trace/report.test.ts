import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { TRACE_RULES } from '../../modules/attribution/proof/trace/rules.ts';
import { Corpus } from '../query/corpus.ts';
import { naiveShard, textDocument } from '../testing/naive-shard.ts';
import { escapeText, pageOf } from './html.ts';
import { SCRIPT, STYLE } from './page-parts.ts';
import { reportOf, type TraceReport } from './report.ts';
import { traceOutput } from './trace.ts';

const EVIL = '<script>alert("1")</script> & <img src=x onerror=alert(2)> \u001b[31m\u202e';
const OUTPUT = `I say ${EVIL} to you, and one more thing that was never said.`;

function reportFor(output: string): TraceReport {
  const documents = [
    textDocument(1, `Someone wrote: ${EVIL} to you, as an example.`),
    textDocument(2, 'He said one more thing that was never mine.'),
    textDocument(3, 'It was one more thing that was never his.'),
  ];
  const corpus = new Corpus([naiveShard(documents)]);
  const trace = traceOutput(new TextEncoder().encode(output), corpus, { ...TRACE_RULES, tokensMin: 5 });
  return reportOf(trace, {
    documents: corpus.documents,
    addressOf: (address) => `open1${address[0]}`,
    titleOf: (id) => (id === 1n ? '"Title" <b>' : undefined),
  });
}

const report = reportFor(OUTPUT);

describe('the report', () => {
  test('its segments are the output, each with the passages over it', () => {
    expect(report.output.segments.map(({ text }) => text).join('')).toBe(OUTPUT);
    const marked = report.output.segments.flatMap(({ text, spans }) => (spans.length > 0 ? [text] : []));
    expect(marked.join('|')).toContain('one more thing that was never ');
    expect(report.spans.map(({ number }) => number)).toEqual(report.spans.map((_, i) => i + 1));
  });

  test('shares add up to the whole', () => {
    for (const shares of [report.spans, report.documents, report.contributors])
      expect(shares.reduce((sum, { share_bps }) => sum + share_bps, 0)).toBe(10_000);
  });

  test('a document shows its passage and where it stands', () => {
    const document = report.documents.find(({ contribution_id }) => contribution_id === '2');
    expect(document).toMatchObject({
      contributor: 'open12',
      byte_offset: 'He said '.length,
      passage: { before: 'He said ', quote: 'one more thing that was never ', after: 'mine.' },
    });
  });

  test('nothing found is a report, too', () => {
    const empty = reportFor('x');
    expect(empty).toMatchObject({ covered_bps: 0, spans: [], documents: [], contributors: [], weight: '0' });
    expect(pageOf(empty, { title: 'Empty' })).toContain('0 passages in 0 documents of 0 contributors');
  });
});

describe('the page', () => {
  const page = pageOf(report, { title: 'A <trace>', language: 'en' });

  test('no text becomes markup', () => {
    expect(page.match(/<script/g)).toHaveLength(1);
    expect(page).not.toContain('<img');
    expect(page).not.toContain('<b>');
    expect(page).toContain('<title>A &lt;trace&gt;</title>');
    expect(page).toContain('&quot;Title&quot; &lt;b&gt;');
    expect(page).not.toContain('\u001b');
    expect(page).not.toContain('\u202e');
    expect(escapeText(`a'b\r\n\u0000\u0085`)).toBe('a&#39;b\n\u2400\ufffd');
  });

  test('it loads nothing, and its policy lets only its own style and script run', () => {
    expect(page.match(/<[^>]*\s(?:src|srcset|action|poster|on\w+)=/g)).toBe(null);
    expect(
      [...page.matchAll(/href="([^"]*)"/g)].every(([, target]) => target?.startsWith('#') === true),
    ).toBe(true);
    expect(page).not.toMatch(/url\(|@import|https?:/);
    const digest = (text: string): string => createHash('sha256').update(text).digest('base64');
    expect(page).toContain(`style-src 'sha256-${digest(STYLE)}'; script-src 'sha256-${digest(SCRIPT)}'`);
    expect(page).toContain(`<style>${STYLE}</style>`);
    expect(page).toContain(`<script>${SCRIPT}</script>`);
    expect(page).not.toContain(' style=');
  });

  test('every link leads somewhere, and tags are closed', () => {
    const ids = new Set([...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id));
    for (const [, target] of page.matchAll(/href="#([^"]*)"/g)) expect(ids).toContain(target);
    for (const tag of [
      'a',
      'li',
      'ol',
      'p',
      'table',
      'tr',
      'td',
      'th',
      'section',
      'div',
      'bdi',
      'mark',
      'sup',
    ])
      expect([tag, page.match(new RegExp(`<${tag}[ >]`, 'g'))?.length]).toEqual([
        tag,
        page.match(new RegExp(`</${tag}>`, 'g'))?.length,
      ]);
  });
});

describe('colours', () => {
  const schemes = [...STYLE.matchAll(/:root\{([^}]*)\}/g)].map(
    ([, body = '']) =>
      new Map([...body.matchAll(/--([\w-]+):(#\w+)/g)].map(([, name = '', value = '']) => [name, value])),
  );
  const pairs = [
    ...['ground', 'card'].flatMap(
      (ground) =>
        [
          ['text', ground],
          ['dim', ground],
        ] as const,
    ),
    ...['rare-1', 'rare-2', 'rare-3'].map((ground) => ['on-mark', ground] as const),
  ];

  test.each(schemes.entries().toArray())('scheme %i: text and ground differ by 7:1', (_, colours) => {
    for (const [text, ground] of pairs) {
      const [light = 0, dark = 0] = [colours.get(text), colours.get(ground)]
        .map(luminance)
        .sort((a, b) => b - a);
      expect([text, ground, (light + 0.05) / (dark + 0.05) >= 7]).toEqual([text, ground, true]);
    }
  });
});

/** Relative luminance, WCAG 2.2. */
function luminance(colour = ''): number {
  const digits =
    colour.length === 4 ? [...colour.slice(1)].map((digit) => digit + digit) : colour.slice(1).match(/../g);
  const [r = 0, g = 0, b = 0] = (digits ?? []).map((pair) => {
    const channel = Number.parseInt(pair, 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
