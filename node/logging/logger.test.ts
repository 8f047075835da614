import { describe, expect, it } from 'vitest';
import { levelPolicy } from './levels.ts';
import { createLogging } from './logger.ts';

function logged(format: 'plain' | 'json', level: string) {
  const lines: string[] = [];
  const logging = createLogging({
    format,
    policy: levelPolicy(level),
    write: (line) => lines.push(line),
    now: () => Date.UTC(2026, 0, 2, 3, 4, 5, 6),
  });
  return { lines, logging };
}

describe('levels', () => {
  it('hold for each module', () => {
    const policy = levelPolicy('consensus:debug,p2p:none,*:warn');
    expect([policy('consensus'), policy('p2p'), policy('rpc')]).toEqual(['debug', 'none', 'warn']);
    expect(levelPolicy('error')('rpc')).toBe('error');
    expect(levelPolicy('p2p:debug')('rpc')).toBe('info');
  });

  it('keep lines back that are below the threshold', () => {
    const { lines, logging } = logged('plain', 'p2p:none,*:warn');
    logging('rpc').info({}, 'quiet');
    logging('p2p').error({}, 'silent');
    logging('rpc').warn({}, 'loud');
    expect(lines).toEqual(['03:04:05.006 WRN rpc: loud\n']);
  });
});

describe('lines', () => {
  it('are plain for people, on one line whatever the facts hold', () => {
    const { lines, logging } = logged('plain', 'info');
    logging('engine').info({ height: 7n, hash: Uint8Array.of(1, 255), text: 'a\nb' }, 'committed');
    expect(lines).toEqual(['03:04:05.006 INF engine: committed height=7 hash=01FF text="a\\nb"\n']);
  });

  it.each(['plain', 'json'] as const)('%s: have lists of facts, too', (format) => {
    const { lines, logging } = logged(format, 'info');
    logging('statesync').info({ heights: [7n, 8n], hashes: [Uint8Array.of(1)] }, 'offered');
    expect(lines[0]?.replaceAll('\\', '')).toContain('["7","8"]');
    expect(lines[0]?.replaceAll('\\', '')).toContain('["01"]');
  });

  it('are JSON objects for machines', () => {
    const { lines, logging } = logged('json', 'info');
    logging('engine').error({ height: 7n, cause: new Error('disk full') }, 'halted');
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        level: 'error',
        time: '2026-01-02T03:04:05.006Z',
        module: 'engine',
        height: '7',
        cause: 'disk full',
        msg: 'halted',
      },
    ]);
  });
});
