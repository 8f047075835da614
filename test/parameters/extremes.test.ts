/**
 * Each parameter at its bounds and beyond, by genesis and by message: it is refused with a reason, or the
 * chain goes on and its invariants hold.
 */
import { describe, expect, it } from 'vitest';
import { JsonError, type JsonObject, type JsonValue } from '../../framework/json.ts';
import type { Field } from '../../proto/codec/field.ts';
import type { MessageType } from '../../proto/codec/message.ts';
import type { StakingWorld } from '../support/staking-world.ts';
import { jsonOf, type NumberRow, type Patch, type Row } from './row.ts';
import { SECTIONS, type Section } from './sections.ts';
import {
  AUTHORITY,
  BASE,
  change,
  changeByJson,
  chainWith,
  readSection,
  type Outcome,
  problemOfBlocks,
  updateType,
} from './world.ts';

/** A value to try, and whether it may be set. */
interface Trial {
  readonly value: JsonValue;
  readonly patch: Patch;
  readonly taken: boolean;
}

function trialsOf(row: Row, way: 'genesis' | 'message'): readonly Trial[] {
  if (row.kind === 'choice')
    return [
      ...row.good.map((value) => ({ value, patch: {}, taken: true })),
      ...row.bad.map((value) => ({ value, patch: {}, taken: false })),
    ];
  const { form, leastWith, mostWith } = row;
  const least = way === 'genesis' ? row.genesisLeast : row.least;
  const most = way === 'message' ? row.messageMost : row.most;
  return [
    { value: jsonOf(form, least), patch: leastWith, taken: true },
    { value: jsonOf(form, most), patch: mostWith, taken: true },
    { value: jsonOf(form, least - 1n), patch: leastWith, taken: false },
    { value: jsonOf(form, most + 1n), patch: mostWith, taken: false },
  ];
}

function paramsWith({ module }: Section, changes: Patch): JsonObject {
  return Object.entries(changes).reduce<JsonObject>(
    (params, [path, value]) => changed(params, path.split('.'), value),
    BASE[module] ?? {},
  );
}

function changed(object: JsonObject, [name = '', ...rest]: readonly string[], value: JsonValue): JsonObject {
  const before = object[name];
  const isInner = rest.length > 0 && typeof before === 'object' && before !== null && !Array.isArray(before);
  return { ...object, [name]: isInner ? changed(before as JsonObject, rest, value) : value };
}

function given(value: JsonValue): JsonValue {
  return value === 'AUTHORITY' ? AUTHORITY : value;
}

/** CometBFT's JSON has nanoseconds. */
function inGenesis({ module }: Section, row: Row, value: JsonValue): JsonValue {
  if (module !== 'consensus' || row.kind !== 'number' || row.form !== 'duration') return value;
  return String(value)
    .replace('.', '')
    .replace('s', '')
    .replace(/^(-?)0+(?=\d)/, '$1');
}

/** Sections that no hook looks at. */
const WITHOUT_HOOKS = ['auth', 'datanet', 'models', 'attribution', 'channels'];

function blocksOf({ module }: Section): number {
  if (module === 'consensus') return 1;
  return WITHOUT_HOOKS.includes(module) ? 0 : 3;
}

/** What went otherwise than the table says. */
function problemsByGenesis(section: Section, row: Row): readonly string[] {
  return trialsOf(row, 'genesis').flatMap(({ value, patch, taken }) => {
    const json = inGenesis(section, row, given(value));
    const params = paramsWith(section, { ...patch, [row.field]: json });
    const name = `${section.module}.${row.field} = ${JSON.stringify(json)} by genesis`;
    try {
      readSection(section, params);
      const blocks = blocksOf(section);
      const chain = taken && blocks > 0 ? chainWith({ [section.module]: params }) : undefined;
      // The set of validators is looked at when the sections are written.
      if (!taken)
        return row.field === 'max_validators' ? refusedLater(section, params, name) : [`${name}: is taken`];
      const problem = chain === undefined ? undefined : problemOfBlocks(chain, blocks);
      return problem === undefined ? [] : [`${name}: ${problem}`];
    } catch (error) {
      if (!(error instanceof JsonError)) throw error;
      return taken ? [`${name}: ${error.message}`] : [];
    }
  });
}

function refusedLater(section: Section, params: JsonObject, name: string): readonly string[] {
  chainWith({ [section.module]: params });
  return [`${name}: is taken`];
}

function problemsByMessage(section: Section, row: Row, shared: StakingWorld): readonly string[] {
  let world = shared;
  const hostile = [...hostileMessages(world, section, row)];
  const byTable = trialsOf(row, 'message').flatMap(({ value, patch, taken }) => {
    const name = `${section.module}.${row.field} = ${JSON.stringify(value)} by message`;
    const params = paramsWith(section, { ...asMessage(section), ...patch, [row.field]: given(value) });
    // What is taken depends on the set, which blocks change.
    if (section.module === 'consensus') world = chainWith({});
    const outcome = changeByJson(world, section, params);
    const problem = problemOfOutcome(outcome, taken) ?? afterwards(outcome);
    return problem === undefined ? [] : [`${name}: ${problem}`];
  });
  const byBytes = hostile.flatMap((message, i) => {
    const outcome = change(world, updateType(world, section), message);
    const problem = afterwards(outcome);
    return problem === undefined ? [] : [`${section.module}.${row.field}, hostile value ${i}: ${problem}`];
  });
  const broken = blocksOf(section) > 0 ? world.broken() : [];
  return [...byTable, ...byBytes, ...broken.map((what) => `${section.module}.${row.field}: ${what}`)];

  function afterwards({ kind }: Outcome): string | undefined {
    return kind === 'done' ? problemOfBlocks(world, Math.min(blocksOf(section), 1)) : undefined;
  }
}

/** Messages have durations as text. */
function asMessage({ module }: Section): Patch {
  return module === 'consensus' ? { 'evidence.max_age_duration': '172800s' } : {};
}

function problemOfOutcome(outcome: Outcome, taken: boolean): string | undefined {
  if (outcome.kind === 'skipped') return taken ? 'is no value of the message' : undefined;
  if (outcome.kind === 'done') return taken ? undefined : 'is taken';
  if (taken) return outcome.why;
  return outcome.why.trim().length < 10 ? `no reason is given: "${outcome.why}"` : undefined;
}

const TEXTS = [
  '',
  ' ',
  'NaN',
  'Infinity',
  '1e3',
  '0x1',
  '-1',
  '0',
  '1',
  `${2n ** 256n}`,
  '9'.repeat(90),
  'x'.repeat(300),
];
const BIGINTS = [0n, -1n, (1n << 63n) - 1n, -(1n << 63n), (1n << 64n) - 1n];
const DURATIONS = [
  { seconds: 0n, nanos: 0 },
  { seconds: -1n, nanos: 0 },
  { seconds: 1n, nanos: -1 },
  { seconds: 0n, nanos: 2_000_000_000 },
  { seconds: (1n << 63n) - 1n, nanos: 0 },
];

/** The message with values in the field that no JSON has. */
function* hostileMessages(world: StakingWorld, section: Section, { field }: Row): Generator<unknown> {
  const type = updateType(world, section);
  const whole = section.module === 'consensus' ? field : `params.${field}`;
  const path = whole.split('.');
  const route = world.composition.modules.flatMap(({ queries }) => queries);
  const service = section.update.slice(1, section.update.lastIndexOf('.'));
  const query = route.find((one) => one.path === `/${service}.Query/Params`);
  if (query === undefined) throw new RangeError(`${service} has no query of its parameters`);
  const answer = query.answer(world.context, new Uint8Array(0));
  // The answer has the parameters in field 1, as the message has them in field 2.
  const params = section.type.decode(answer.subarray(answer.length - innerLength(answer)));
  const base = section.module === 'consensus' ? Object(params) : { params };
  const message = type.create({ ...base, authority: AUTHORITY });
  const leaf = leafField(type, path);
  if (leaf === undefined) return;
  for (const value of hostileValues(leaf)) yield replaced(type, message, { path, value });
}

function innerLength(answer: Uint8Array): number {
  let at = 1;
  while (((answer[at] ?? 0) & 0x80) !== 0) at++;
  return answer.length - at - 1;
}

function leafField(type: MessageType<unknown>, [name, ...rest]: readonly string[]): Field | undefined {
  const field = type.fields.find(({ protoName }) => protoName === name);
  if (field === undefined || rest.length === 0) return field;
  return field.value.kind === 'message' ? leafField(field.value.message(), rest) : undefined;
}

function hostileValues({ rule, value }: Field): readonly unknown[] {
  if (rule === 'repeated') return [[]];
  switch (value.kind) {
    case 'string':
      return TEXTS;
    case 'bytes':
      return TEXTS.map((text) => new TextEncoder().encode(text));
    case 'message':
      return DURATIONS;
    case 'int64':
      return BIGINTS.slice(0, -1);
    case 'uint64':
      return BIGINTS.filter((one) => one >= 0n);
    case 'bool':
      return [true, false];
    default:
      return [0, 1, 0xffff_ffff];
  }
}

function replaced(
  type: MessageType<unknown>,
  message: unknown,
  change: { readonly path: readonly string[]; readonly value: unknown },
): unknown {
  const [name, ...rest] = change.path;
  const field = type.fields.find(({ protoName }) => protoName === name);
  if (field === undefined) return message;
  const before: Readonly<Record<string, unknown>> = Object(message);
  const inner = before[field.name];
  const isLeaf = rest.length === 0 || field.value.kind !== 'message';
  const value = isLeaf
    ? change.value
    : replaced(field.value.message(), inner, { path: rest, value: change.value });
  return { ...before, [field.name]: value };
}

describe.each(SECTIONS.map((section) => [section.module, section] as const))('%s', (_, section) => {
  it('takes what the table says by genesis, and goes on with it', () => {
    expect(section.rows.flatMap((row) => problemsByGenesis(section, row))).toEqual([]);
  });

  it('takes what the table says by message, refuses all else with a reason, and goes on', () => {
    const world = chainWith({});
    expect(section.rows.flatMap((row) => problemsByMessage(section, row, world))).toEqual([]);
  });
});

describe('all modules together', () => {
  const numbers = (section: Section): readonly NumberRow[] =>
    section.rows.flatMap((row) => (row.kind === 'number' ? [row] : []));
  const all = (pick: (row: NumberRow) => readonly [bigint, Patch]): Readonly<Record<string, JsonObject>> =>
    Object.fromEntries(
      SECTIONS.filter(({ module }) => module !== 'models' && module !== 'gov').map((section) => {
        const patches = numbers(section).map((row) => {
          const [value, patch] = pick(row);
          return { ...patch, [row.field]: inGenesis(section, row, jsonOf(row.form, value)) };
        });
        return [section.module, paramsWith(section, Object.assign({}, ...patches))];
      }),
    );

  it.each([
    ['least', all((row) => [row.genesisLeast, row.leastWith])],
    ['most', all((row) => [row.most, row.mostWith])],
  ] as const)('at their %s go on', (_, params) => {
    expect(problemOfBlocks(chainWith(params), 24)).toBeUndefined();
  });
});
