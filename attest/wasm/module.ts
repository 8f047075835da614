/**
 * The WebAssembly twin of the two costly parts of an index: sorting of suffixes and hashing of trees. Each
 * instance has a memory of its own, which goes when the instance does. Whoever gets no instance (no vector
 * instructions, no memory) does the same work in TypeScript: the results are equal to the byte.
 */
import { assert } from '../../core/errors.ts';
import { fromBase64 } from '../../core/bytes.ts';
import { MODULE_BASE64 } from './module-bytes.ts';

/** The part of the platform's interface that is used here: its types come with those of browsers only. */
declare const WebAssembly: {
  readonly validate: (bytes: Uint8Array) => boolean;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: Readonly<Record<string, Readonly<Record<string, Tell>>>>,
  ) => { readonly exports: Readonly<Record<string, unknown>> };
  readonly Memory: new () => { readonly buffer: ArrayBuffer; grow(pages: number): number };
  readonly Global: new () => { readonly value: unknown };
  readonly RuntimeError: new () => Error;
};

/** Bytes of a page of WebAssembly memory. */
const PAGE_BYTES = 65_536;
/** Where an instance's data begin behind its own: a multiple of the width of a vector. */
const ALIGNMENT = 64;

/** An instance with its memory. Addresses are bytes from the start of the memory. */
export interface AttestModule {
  /** First address that is free for the host's data. */
  readonly base: number;
  /**
   * The memory, at least up to `end`. Views of it that were taken before are void afterwards.
   * @throws RangeError when there is not so much memory
   */
  memoryTo(end: number): ArrayBuffer;
  /** Sorts the suffixes of `length` ranks below `symbols`; takes memory from `free` on as it needs it. */
  sortSuffixes(at: { text: number; sa: number; length: number; symbols: number; free: number }): void;
  /** Hashes padded messages that lie one behind another, `blocks` a byte each, into 32 bytes each. */
  hashMessages(at: { messages: number; blocks: number; count: number; out: number }): void;
  /** Writes leaves of a suffix tree as messages: assembly/suffix-leaves.ts. */
  writeSuffixLeaves(at: {
    text: number;
    marks: number;
    sa: number;
    entries: number;
    perLeaf: number;
    messages: number;
    blocks: number;
  }): void;
  /** Hashes of the inner nodes over `count` hashes, a lone last one as it is; `out` may be `hashes`. */
  hashPairs(at: { hashes: number; count: number; out: number }): void;
}

/** Is told the stage, level and length as a sort goes on: assembly/sais.ts. */
export type Tell = (stage: number, level: number, tokens: number) => void;

let compiled: object | undefined | 'none';

/** A new instance; undefined on machines that cannot run it. */
export function instantiate(tell: Tell = () => undefined): AttestModule | undefined {
  compiled ??= compile();
  if (compiled === 'none') return undefined;
  const { exports } = new WebAssembly.Instance(compiled, { host: { tell } });
  const memory = exports['memory'];
  const scratch = exports['SCRATCH_BYTES'];
  assert(memory instanceof WebAssembly.Memory && scratch instanceof WebAssembly.Global, 'a strange module');
  const call = (name: string): ((...values: readonly number[]) => void) => {
    const value = exports[name];
    assert(typeof value === 'function', 'the module lacks a function', { name });
    return (...values) => void value(...values);
  };
  const [sort, hash, pairs, leaves] = [
    call('sortSuffixes'),
    call('hashMessages'),
    call('hashPairs'),
    call('writeSuffixLeaves'),
  ];
  return {
    base: Math.ceil(Number(scratch.value) / ALIGNMENT) * ALIGNMENT,
    memoryTo: (end) => {
      const missing = end - memory.buffer.byteLength;
      if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
      return memory.buffer;
    },
    sortSuffixes: ({ text, sa, length, symbols, free }) => sort(text, sa, length, symbols, free),
    hashMessages: ({ messages, blocks, count, out }) => hash(messages, blocks, count, out),
    writeSuffixLeaves: ({ text, marks, sa, entries, perLeaf, messages, blocks }) =>
      leaves(text, marks, sa, entries, perLeaf, messages, blocks),
    hashPairs: ({ hashes, count, out }) => pairs(hashes, count, out),
  };
}

function compile(): object | 'none' {
  const bytes = fromBase64(MODULE_BASE64);
  return typeof WebAssembly === 'object' && WebAssembly.validate(bytes)
    ? new WebAssembly.Module(bytes)
    : 'none';
}

/**
 * True for what is thrown when there is not enough memory: by the host, or by an instance that asked for
 * more.
 */
export function isOutOfMemory(error: unknown): boolean {
  return error instanceof RangeError || error instanceof WebAssembly.RuntimeError;
}
