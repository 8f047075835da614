/** A parameter as the table has it: its bounds, which the tests hold, and what its extremes do. */
import type { JsonValue } from '../../framework/json.ts';

/** How a number is written in JSON and in the table. */
export type Form = 'integer' | 'small' | 'decimal' | 'duration';

/** Other parameters of the module that must have these values meanwhile, by path. */
export type Patch = Readonly<Record<string, JsonValue>>;

interface Described {
  /** Path below `params`, names as in the .proto file: `block.max_bytes`. */
  readonly field: string;
  /** What the least and the largest value do to a chain. */
  readonly extremes: string;
}

/** A number with bounds: 64-bit integers and others, units of 10^-18, nanoseconds. */
export interface NumberRow extends Described {
  readonly kind: 'number';
  readonly form: Form;
  readonly least: bigint;
  readonly most: bigint;
  readonly leastWith: Patch;
  readonly mostWith: Patch;
  /** Bounds that other parameters make, for the table. */
  readonly relation: string;
  /** Least value of a new genesis document, where that is more. */
  readonly genesisLeast: bigint;
  /** Largest value that a message may set, where that is less. */
  readonly messageMost: bigint;
}

/** Something else: which values are taken, in words and in examples. */
export interface ChoiceRow extends Described {
  readonly kind: 'choice';
  readonly says: string;
  readonly good: readonly JsonValue[];
  readonly bad: readonly JsonValue[];
}

/** A parameter. */
export type Row = NumberRow | ChoiceRow;

/** What most rows do not have. */
export interface Relations {
  readonly leastWith?: Patch;
  readonly mostWith?: Patch;
  readonly relation?: string;
  readonly genesisLeast?: bigint;
  readonly messageMost?: bigint;
}

type NumberMaker = (
  field: string,
  bounds: readonly [least: bigint, most: bigint],
  extremes: string,
  relations?: Relations,
) => NumberRow;

function numberRow(form: Form): NumberMaker {
  return (field, [least, most], extremes, relations = {}) => {
    const {
      leastWith = {},
      mostWith = {},
      relation = '',
      genesisLeast = least,
      messageMost = most,
    } = relations;
    const bounds = { least, most, genesisLeast, messageMost };
    return { kind: 'number', form, field, extremes, leastWith, mostWith, relation, ...bounds };
  };
}

/** A 64-bit number, text in JSON. */
export const integer: NumberMaker = numberRow('integer');

/** A 32-bit number. */
export const small: NumberMaker = numberRow('small');

/** Units of 10^-18. */
export const decimal: NumberMaker = numberRow('decimal');

/** Nanoseconds. */
export const duration: NumberMaker = numberRow('duration');

/** A parameter that is no number. */
export function choice(
  field: string,
  values: { readonly good: readonly JsonValue[]; readonly bad: readonly JsonValue[]; readonly says: string },
  extremes: string,
): ChoiceRow {
  return { kind: 'choice', field, extremes, ...values };
}

const PLACES = 18;
const NANO_PLACES = 9;

/** The value in JSON. */
export function jsonOf(form: Form, value: bigint): JsonValue {
  switch (form) {
    case 'small':
      return Number(value);
    case 'integer':
      return value.toString();
    case 'decimal':
      return pointed(value, PLACES);
    case 'duration':
      return `${pointed(value, NANO_PLACES)}s`;
  }
}

function pointed(value: bigint, places: number): string {
  const digits = (value < 0n ? -value : value).toString().padStart(places + 1, '0');
  return `${value < 0n ? '-' : ''}${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

/** The value for a person: no zeros at the end. */
export function textOf(form: Form, value: bigint): string {
  if (form === 'duration') return `${pointed(value, NANO_PLACES).replace(/\.?0+$/, '')} s`;
  return form === 'decimal' ? pointed(value, PLACES).replace(/\.?0+$/, '') : value.toString();
}
