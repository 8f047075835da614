/** How rows are written. */

/** Writes a row: `area/op/key=value`, then what was measured beside what it is held against. */
export type Row = (name: string, keys: Readonly<Record<string, number | string>>, value: string) => void;

/** Where rows and remarks go. */
export interface Report {
  readonly row: Row;
  readonly note: (line: string) => void;
}

/** The report of a run: rows on standard output, remarks on standard error. */
export const report: Report = {
  row: (name, keys, value) => {
    const path = [name, ...Object.entries(keys).map(([key, each]) => `${key}=${each}`)].join('/');
    process.stdout.write(`${path.padEnd(44)} ${value}\n`);
  },
  note: (line) => void process.stderr.write(`bench: ${line}\n`),
};

export function megabytes(bytes: number): number {
  return Math.round(bytes / 1_000_000);
}

export function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
