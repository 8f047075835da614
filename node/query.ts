/**
 * CometBFT's event query language: `tm.event='Tx' AND transfer.amount >= 10`. Grammar and semantics are those
 * of v0.38 `libs/pubsub/query`; subscriptions match with `matches`, the indexes read the conditions.
 *
 *   query      = condition {"AND" condition}
 *   condition  = tag ("=" (number | string | DATE | TIME) | order (number | DATE | TIME) | "CONTAINS" string | "EXISTS")
 *   order      = "<" | "<=" | ">" | ">="
 */
import { LedgerError } from '../core/errors.ts';
import { compareDecimal, type Decimal, leadingDecimal, parseDecimal } from './decimal.ts';
import type { EventAttributes } from './events.ts';

/** Longest query text, in characters (CometBFT `maxQueryLength`). */
export const QUERY_LENGTH_MAX = 512;
/** Most conditions of a query: what fits the length. */
const CONDITIONS_MAX = 64;

/** The comparisons that take an order. */
export type OrderOperator = '<' | '<=' | '>' | '>=';

/**
 * The value a condition compares with. `text` is as written, without quotes and without the words DATE and
 * TIME.
 */
export type QueryValue =
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'number'; readonly text: string; readonly number: Decimal }
  | { readonly kind: 'date' | 'time'; readonly text: string; readonly nanos: bigint };

/** One condition. `tag` is a composite key: `message.sender`. */
export type Condition =
  | { readonly tag: string; readonly operator: 'EXISTS' }
  | { readonly tag: string; readonly operator: 'CONTAINS'; readonly value: QueryValue & { kind: 'string' } }
  | { readonly tag: string; readonly operator: '='; readonly value: QueryValue }
  | { readonly tag: string; readonly operator: OrderOperator; readonly value: QueryValue };

/** A parsed query. */
export interface Query {
  /** In canonical form: two texts with the same conditions in the same order are the same subscription. */
  readonly text: string;
  readonly conditions: readonly Condition[];
}

interface Token {
  readonly kind: 'tag' | 'string' | 'number' | 'date' | 'time' | 'word' | 'operator';
  readonly text: string;
  readonly at: number;
}

const SPACE = /\s+/y;
const NUMBER = /\d+(\.\d*)?/y;
const STRING = /'([^']*)'/y;
const OPERATOR = /<=|>=|<|>|=/y;
const TAG = /[_\p{L}][-._\p{L}\p{Nd}]*/uy;
const DATE = /DATE ([-\d]*)/y;
const TIME = /TIME ([-T:+Z\d]*)/y;
const WORDS: ReadonlySet<string> = new Set(['AND', 'EXISTS', 'CONTAINS']);

/**
 * Reads a query.
 * @throws LedgerError `query.invalid` with the place of the mistake
 */
export function parseQuery(text: string): Query {
  if (text.length > QUERY_LENGTH_MAX) throw invalid('maximum query length exceeded');
  const tokens = scan(text);
  const conditions: Condition[] = [];
  let next = 0;
  do {
    const { condition, end } = readCondition(tokens, next, text.length);
    conditions.push(condition);
    if (conditions.length > CONDITIONS_MAX) throw invalid('too many conditions');
    const and = tokens[end];
    if (and !== undefined && !(and.kind === 'word' && and.text === 'AND')) {
      throw invalid(`offset ${and.at}: got ${describe(and)}, want AND operator`);
    }
    next = end + 1;
  } while (next <= tokens.length);
  return { text: conditions.map(conditionText).join(' AND '), conditions };
}

function scan(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match !== null) at = pattern.lastIndex;
    return match;
  };
  while (at < text.length) {
    if (take(SPACE) !== null) continue;
    const from = at;
    const push = (kind: Token['kind'], part: string): unknown => tokens.push({ kind, text: part, at: from });
    let match: RegExpExecArray | null;
    if ((match = take(NUMBER)) !== null) push('number', match[0]);
    else if ((match = take(DATE)) !== null) push('date', match[1] ?? '');
    else if ((match = take(TIME)) !== null) push('time', match[1] ?? '');
    else if ((match = take(TAG)) !== null) push(WORDS.has(match[0]) ? 'word' : 'tag', match[0]);
    else if ((match = take(STRING)) !== null) push('string', match[1] ?? '');
    else if ((match = take(OPERATOR)) !== null) push('operator', match[0]);
    else if (text[at] === "'") throw invalid(`offset ${at}: string without closing quote`);
    else throw invalid(`invalid input ${text[at]} at offset ${at + 1}`);
  }
  return tokens;
}

function readCondition(
  tokens: readonly Token[],
  from: number,
  length: number,
): { readonly condition: Condition; readonly end: number } {
  const [tag, operator, value] = [tokens[from], tokens[from + 1], tokens[from + 2]];
  if (tag?.kind !== 'tag') throw unexpected(tag, length, 'tag');
  if (operator?.kind === 'word' && operator.text === 'EXISTS') {
    return { condition: { tag: tag.text, operator: 'EXISTS' }, end: from + 2 };
  }
  const end = from + 3;
  if (operator?.kind === 'word' && operator.text === 'CONTAINS') {
    if (value?.kind !== 'string') throw unexpected(value, length, 'string');
    return {
      condition: { tag: tag.text, operator: 'CONTAINS', value: { kind: 'string', text: value.text } },
      end,
    };
  }
  if (operator?.kind !== 'operator') throw unexpected(operator, length, 'operator');
  const read = readValue(value, length);
  if (operator.text === '=') return { condition: { tag: tag.text, operator: '=', value: read }, end };
  if (read.kind === 'string') throw unexpected(value, length, 'number, timestamp or datestamp');
  return { condition: { tag: tag.text, operator: orderOperator(operator.text), value: read }, end };
}

function orderOperator(text: string): OrderOperator {
  return text === '<' || text === '<=' || text === '>' ? text : '>=';
}

function readValue(token: Token | undefined, length: number): QueryValue {
  const text = token?.text ?? '';
  switch (token?.kind) {
    case 'string':
      return { kind: 'string', text };
    case 'number': {
      const number = parseDecimal(text);
      if (number === undefined) throw invalid(`offset ${token.at}: number has too many digits`);
      return { kind: 'number', text, number };
    }
    case 'date':
    case 'time': {
      const nanos = token.kind === 'date' ? parseDate(text) : parseTime(text);
      const name = token.kind === 'date' ? 'DATE' : 'TIME';
      if (nanos === undefined) throw invalid(`offset ${token.at}: invalid ${name} value ${text}`);
      return { kind: token.kind, text, nanos };
    }
    default:
      throw unexpected(token, length, 'number, timestamp, datestamp or string');
  }
}

function unexpected(token: Token | undefined, length: number, wanted: string): LedgerError {
  if (token === undefined) return invalid(`offset ${length}: unexpected end of query, wanted ${wanted}`);
  return invalid(`offset ${token.at}: got ${describe(token)}, wanted ${wanted}`);
}

function describe(token: Token): string {
  return token.kind === 'word' || token.kind === 'operator' ? `${token.text} operator` : token.kind;
}

function invalid(message: string): LedgerError {
  return new LedgerError('query.invalid', message);
}

function conditionText(condition: Condition): string {
  const head = `${condition.tag} ${condition.operator}`;
  if (condition.operator === 'EXISTS') return head;
  const { kind, text } = condition.value;
  if (kind === 'string') return `${head} '${text}'`;
  return kind === 'number' ? `${head} ${text}` : `${head} ${kind.toUpperCase()} ${text}`;
}

/** True when every condition holds for some attribute. Nothing matches an event without attributes. */
export function matches(query: Query, events: EventAttributes): boolean {
  if (events.size === 0) return false;
  return query.conditions.every((condition) => matchesAny(condition, events));
}

function matchesAny(condition: Condition, events: EventAttributes): boolean {
  const values = events.get(condition.tag);
  if (values !== undefined) return values.some((value) => matchesValue(condition, value));
  // A tag that is the type of an event is compared with the empty string: `transfer EXISTS`.
  const type = `${condition.tag}.`;
  for (const key of events.keys()) {
    if (key.startsWith(type) && !key.includes('.', type.length)) return matchesValue(condition, '');
  }
  return false;
}

/** True when an attribute's value satisfies a condition. */
export function matchesValue(condition: Condition, value: string): boolean {
  if (condition.operator === 'EXISTS') return true;
  if (condition.operator === 'CONTAINS') return value.includes(condition.value.text);
  const wanted = condition.value;
  switch (wanted.kind) {
    case 'string':
      return condition.operator === '=' && value === wanted.text;
    case 'number': {
      // Amounts carry their denomination behind the number: `8uopen` counts as 8.
      const number = leadingDecimal(value);
      return number !== undefined && holds(condition.operator, compareDecimal(number, wanted.number));
    }
    case 'date':
    case 'time': {
      const nanos = wanted.kind === 'date' ? parseDate(value) : parseTime(value);
      if (nanos === undefined) return false;
      return holds(condition.operator, nanos < wanted.nanos ? -1 : nanos > wanted.nanos ? 1 : 0);
    }
  }
}

/** True when a comparison's outcome (negative, 0, positive) satisfies an operator. */
export function holds(operator: OrderOperator | '=', comparison: number): boolean {
  switch (operator) {
    case '=':
      return comparison === 0;
    case '<':
      return comparison < 0;
    case '<=':
      return comparison <= 0;
    case '>':
      return comparison > 0;
    case '>=':
      return comparison >= 0;
  }
}

const DATE_FORM = /^(\d{4})-(\d{2})-(\d{2})$/;
const TIME_FORM = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[-+]\d{2}:\d{2})$/;

function parseDate(text: string): bigint | undefined {
  return DATE_FORM.test(text) ? nanosOf(`${text}T00:00:00Z`, '') : undefined;
}

function parseTime(text: string): bigint | undefined {
  const match = TIME_FORM.exec(text);
  return match === null ? undefined : nanosOf(`${match[1]}${match[3]}`, match[2] ?? '');
}

function nanosOf(seconds: string, fraction: string): bigint | undefined {
  const millis = Date.parse(seconds);
  const year = Number(seconds.slice(0, 4));
  if (Number.isNaN(millis) || year < 1900 || year > 2999) return undefined;
  // Date.parse rolls 30 February over into March; a date that does not read back is none.
  const day = new Date(`${seconds.slice(0, 10)}T00:00:00Z`).toISOString().slice(0, 10);
  if (day !== seconds.slice(0, 10)) return undefined;
  return BigInt(millis) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}
