/**
 * Examples as JSON lines, one object a line: `contribution` (number or text), `label` (a class, from 0),
 * `features` (bytes as numbers, without the constant one, or as base64).
 */
import { fromBase64 } from '../../core/bytes.ts';
import { DecodeError } from '../../core/errors.ts';
import { FEATURE_MAX } from '../../modules/attribution/proof/influence/bounds.ts';
import type { Example } from './training-set.ts';

/** What a list is of. */
interface ListForm {
  readonly what: 'examples' | 'queries';
  /** Where an entry names no contribution; undefined: it has to. */
  readonly contribution?: string;
}

/** @throws DecodeError that names the line that is wrong */
export function parseExamples(text: string): Example[] {
  return parseList(text, { what: 'examples' });
}

/** Queries are examples of no contribution. @throws DecodeError that names the line that is wrong */
export function parseQueries(text: string): Example[] {
  return parseList(text, { what: 'queries', contribution: '0' });
}

function parseList(text: string, form: ListForm): Example[] {
  const { what } = form;
  const examples: Example[] = [];
  for (const [i, line] of text.split('\n').entries())
    if (line.trim() !== '') examples.push(parseLine(line, `line ${i + 1} of the ${what}`, form));
  if (examples.length === 0) throw new DecodeError(`there are no ${what}`);
  const width = examples[0]?.features.length;
  const other = examples.findIndex(({ features }) => features.length !== width);
  if (other >= 0)
    throw new DecodeError(
      `${what}: entry ${other + 1} has other features than the first: ${width} are needed`,
    );
  return examples;
}

function parseLine(line: string, where: string, form: ListForm): Example {
  const fail = (why: string): never => {
    throw new DecodeError(`${where}: ${why}`);
  };
  const parsed = jsonOf(line) ?? fail('no JSON object');
  const contribution: unknown = Reflect.get(parsed, 'contribution') ?? form.contribution;
  const label: unknown = Reflect.get(parsed, 'label');
  const id = typeof contribution === 'number' ? `${contribution}` : contribution;
  if (typeof id !== 'string' || !/^\d{1,20}$/.test(id)) return fail('contribution is no id');
  if (typeof label !== 'number' || !Number.isSafeInteger(label) || label < 0)
    return fail('label is no class');
  const features = parseFeatures(Reflect.get(parsed, 'features'));
  return { features: features ?? fail('features are no bytes'), label, contributionId: BigInt(id) };
}

function jsonOf(line: string): object | undefined {
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** Bytes from a list of numbers or from base64; undefined for anything else. */
export function parseFeatures(value: unknown): Uint8Array | undefined {
  if (typeof value === 'string') {
    try {
      return fromBase64(value);
    } catch {
      return undefined;
    }
  }
  const isByte = (item: unknown): item is number =>
    typeof item === 'number' && Number.isInteger(item) && item >= 0 && item <= FEATURE_MAX;
  return Array.isArray(value) && value.every(isByte) ? Uint8Array.from(value) : undefined;
}
