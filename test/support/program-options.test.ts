import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Ending, ProgramOptions } from './program-options.ts';

interface Read {
  readonly seeds: number;
  readonly rate: number | undefined;
  readonly validators: readonly number[] | undefined;
  readonly profile: string | undefined;
  readonly out: string | undefined;
  readonly verbose: boolean;
  readonly ending: Ending | undefined;
}

function read(...argv: string[]): Read {
  const options = new ProgramOptions({ command: 'npm run x', purpose: 'runs x.', argv });
  return {
    seeds: options.number('seeds', { fallback: 1, least: 1, help: 'how many' }),
    rate: options.number('rate', { fallback: undefined, fraction: true, help: 'how fast' }),
    validators: options.numbers('validators', { fallback: [1, 4], help: 'of each network' }),
    profile: options.choice('profile', { fallback: undefined, of: ['calm', 'wild'], help: 'one of' }),
    out: options.text('out', { fallback: undefined, help: 'file' }),
    verbose: options.flag('verbose', 'all of it'),
    ending: options.ending(),
  };
}

const LIST = `options:
  --seeds <number>           how many (default 1)
  --rate <number>            how fast
  --validators <number,…>    of each network (default 1,4)
  --profile <name>           one of: calm, wild
  --out <text>               file
  --verbose                  all of it
  --help                     this list
`;

describe('options of a program', () => {
  it('have their values, whichever way they are written, or what is usual', () => {
    expect(read()).toEqual({
      seeds: 1,
      rate: undefined,
      validators: [1, 4],
      profile: undefined,
      out: undefined,
      verbose: false,
      ending: undefined,
    });
    expect(
      read('--verbose', '--seeds=7', '--rate', '0.5', '--validators', '4', '--profile', 'wild', '--out=a=b'),
    ).toEqual({
      seeds: 7,
      rate: 0.5,
      validators: [4],
      profile: 'wild',
      out: 'a=b',
      verbose: true,
      ending: undefined,
    });
    expect(read('--seeds', '1', '--seeds', '2').seeds).toBe(2);
    expect(read('--seeds=1', '--seeds', '2').seeds).toBe(2);
    expect(read('--seeds', '1', '--seeds=2').seeds).toBe(2);
    expect(read('--seeds=1', '--seeds=2').seeds).toBe(2);
  });

  it('are listed when asked for', () => {
    expect(read('--help', '--nonsense').ending).toEqual({ code: 0, text: `npm run x: runs x.\n${LIST}` });
  });

  it.each([
    [['--nonsense'], 'there is no option --nonsense'],
    [['more'], 'there is no option more'],
    [['--verbose=1'], 'there is no option --verbose=1'],
    [['--seeds'], '--seeds needs a value'],
    [['--seeds', '--verbose'], '--seeds needs a value'],
    [['--seeds', 'many'], '--seeds "many" is no whole number of at least 1'],
    [['--seeds', '1.5'], '--seeds "1.5" is no whole number of at least 1'],
    [['--seeds='], '--seeds "" is no whole number of at least 1'],
    [['--rate', '-1'], '--rate "-1" is no number of at least 0'],
    [['--validators', '1,,4'], '--validators "" is no whole number of at least 1'],
    [['--profile', 'x'], 'no profile "x"; there are calm, wild'],
  ])('%j are refused in a sentence, with the list', (argv, problem) => {
    expect(read(...argv).ending).toEqual({ code: 2, text: `npm run x: ${problem}\n${LIST}` });
  });
});

describe('every program among the tests', () => {
  const timeout = 120_000;
  const run = (folder: string, ...words: string[]): object => {
    const file = join(import.meta.dirname, '..', folder, 'main.ts');
    const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...words], { encoding: 'utf8' });
    return { status, stdout, stderr };
  };

  it.each(['bench', 'e2e/chaos', 'e2e/upgrade', 'fuzz', 'operations', 'simulation', 'surface'])(
    '%s says in a sentence that there is no such option',
    { timeout },
    (folder) =>
      expect(run(folder, '--nonsense')).toEqual({
        status: 2,
        stdout: '',
        stderr: expect.stringMatching(/^npm run [a-z:]+: there is no option --nonsense\noptions:\n/),
      }),
  );

  it('bench knows its benchmarks, not what every object has', { timeout }, () =>
    expect(run('bench', '--only', 'constructor')).toEqual({
      status: 2,
      stdout: '',
      stderr: expect.stringMatching(/^npm run bench: no benchmark "constructor"; there are throughput, /),
    }),
  );
});
