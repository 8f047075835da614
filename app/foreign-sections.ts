/**
 * Sections that the genesis of an SDK application has and this one does not: those of modules of the SDK that
 * are not part of this chain. They may stand there as `simd init` writes them, with nothing in them; what
 * somebody owns or is owed there could not be kept, so such a document is refused.
 */
import type { JsonReader, JsonValue } from '../framework/json.ts';

/**
 * By section, members that may have a value, since they mean nothing without the module: `crisis` charges for
 * a message that there is not.
 */
const FOREIGN: ReadonlyMap<string, readonly string[]> = new Map([
  ['capability', ['index']],
  ['circuit', []],
  ['crisis', ['constant_fee']],
  ['group', []],
  ['nft', []],
  ['params', []],
]);

/** True for a section of a module of the SDK that this chain does not have. */
export function isForeignSection(name: string): boolean {
  return FOREIGN.has(name);
}

/** @throws JsonError naming the first thing in the section that this chain could not keep */
export function requireNothingForeign(name: string, section: JsonReader): void {
  if (!section.present) return;
  const meaningless = FOREIGN.get(name) ?? [];
  for (const [key, value] of Object.entries(section.object()))
    if (!meaningless.includes(key) && !isNothing(value))
      section.member(key).fail(`is not empty, but this chain has no module ${name} to keep it`);
}

/** As Go writes a value that nobody has set, and what is made of such values. */
function isNothing(value: JsonValue | undefined): boolean {
  switch (typeof value) {
    case 'string':
      return value === '' || value === '0';
    case 'number':
      return value === 0;
    case 'boolean':
      return !value;
    case 'undefined':
      return true;
    default:
      return value === null || Object.values(value).every((member: JsonValue) => isNothing(member));
  }
}
