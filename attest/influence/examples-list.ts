/**
 * Examples as JSON lines, one object a line: `contribution` (number or text), `label` (a class, from 0),
 * `features` (bytes as numbers, without the constant one, or as base64); for an adapter `offsets`: logits of
 * the base model by class, numbers from −128 to below 128, which are rounded to 2^-24.
 */
import { fromBase64 } from '../../core/bytes.ts';
import { DecodeError } from '../../core/errors.ts';
import { FEATURE_MAX, OFFSET_BITS } from '../../modules/attribution/proof/influence/bounds.ts';
import type { Numbers } from '../../modules/attribution/proof/influence/fixed-point.ts';
import type { Example } from './training-set.ts';

/** What a list is of. */
interface ListForm {
  readonly what: 'examples' | 'queries';
  /** Where an entry names no contribution; undefined: it has to. */
  readonly contribution?: string;
  /** Labels are below; any without. */
  readonly classes?: number;
}

/** The first integer that is too large for 32 bits. */
const OFFSETS_END = 2 ** 31;

/** Of labels below `classes`, if given. @throws DecodeError that names the line that is wrong */
export function parseExamples(text: string, classes?: number): Example[] {
  return parseList(text, { what: 'examples', ...(classes === undefined ? {} : { classes }) });
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
  const brings = examples[0]?.offsets?.length;
  const odd = examples.findIndex(({ offsets }) => offsets?.length !== brings);
  if (odd >= 0)
    throw new DecodeError(
      `${what}: entry ${odd + 1} has other offsets than the first: ${brings ?? 0} are needed`,
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
  const offsets: unknown = Reflect.get(parsed, 'offsets');
  const example = {
    features: features ?? fail('features are no bytes'),
    label,
    contributionId: BigInt(id),
  };
  if (form.classes !== undefined && label >= form.classes)
    fail(`label is ${label}; ${form.classes} classes have labels 0 to ${form.classes - 1}`);
  if (offsets === undefined) return example;
  return {
    ...example,
    offsets: parseOffsets(offsets) ?? fail('offsets are no logits from -128 to below 128'),
  };
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

/** Integers in units of 2^-24 from logits; undefined for anything but a list of numbers within the bounds. */
export function parseOffsets(value: unknown): Numbers | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const isNumber = (item: unknown): item is number => typeof item === 'number';
  if (!value.every(isNumber)) return undefined;
  const offsets = value.map((logit) => Math.round(logit * 2 ** OFFSET_BITS));
  return offsets.every((offset) => offset >= -OFFSETS_END && offset < OFFSETS_END) ? offsets : undefined;
}
