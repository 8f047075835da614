/** Everything random about a simulation comes from one of these, so a seed is a run. */
import { Random as Numbers } from '../fuzz/random.ts';

/** A choice and how often it is taken, compared with the others. */
export interface Weighted<T> {
  readonly weight: number;
  readonly value: T;
}

/** Numbers and choices out of a seed. */
export class Random {
  readonly #numbers: Numbers;

  constructor(seed: number) {
    this.#numbers = new Numbers(Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995);
  }

  /** 0 to `end` - 1. */
  below(end: number): number {
    return this.#numbers.below(end);
  }

  /** `least` to `most`, both included. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  /** True once in `n` times. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError('nothing to pick from');
    return item;
  }

  /** One of them, or undefined when there is none. */
  some<T>(items: readonly T[]): T | undefined {
    return items[this.below(items.length)];
  }

  weighted<T>(choices: readonly Weighted<T>[]): T {
    let left = this.below(choices.reduce((sum, { weight }) => sum + weight, 0));
    for (const { weight, value } of choices) {
      if (left < weight) return value;
      left -= weight;
    }
    throw new RangeError('no choice has a weight');
  }

  bytes(length: number): Uint8Array {
    return this.#numbers.bytes(length);
  }

  /** From 1 to about `most`: small numbers and large ones alike, and now and then exactly the largest. */
  amount(most: bigint): bigint {
    if (most <= 1n) return 1n;
    if (this.oneIn(20)) return most;
    const bits = this.between(1, most.toString(2).length);
    const [high, low] = [this.#numbers.uint32(), this.#numbers.uint32()];
    const value = (BigInt(high) * 4_294_967_296n + BigInt(low)) % (1n << BigInt(bits));
    return (value % most) + 1n;
  }

  /** Text of a number from `least` to `most` thousandths, as `0.125000000000000000`. */
  ratio(least: number, most: number): string {
    const thousandths = this.between(least, most);
    const digits = this.oneIn(4) ? '333333333333333' : '000000000000000';
    const isWhole = thousandths % 1000 === 0;
    const fraction = String(thousandths % 1000).padStart(3, '0');
    return `${Math.floor(thousandths / 1000)}.${fraction}${isWhole ? '000000000000000' : digits}`;
  }

  shuffled<T>(items: readonly T[]): readonly T[] {
    const left = [...items];
    return items.flatMap(() => left.splice(this.below(left.length), 1));
  }
}
