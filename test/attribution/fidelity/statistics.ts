/** Correlations and the area under the ROC curve. */

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Sample standard deviation; 0 for a single value. */
export function deviation(values: readonly number[]): number {
  const centre = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  return values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1));
}

/** 0 where there is none, because one of them is constant. */
export function pearson(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const centreA = mean(Array.from(a));
  const centreB = mean(Array.from(b));
  let product = 0;
  let squareA = 0;
  let squareB = 0;
  for (let i = 0; i < a.length; i++) {
    const x = (a[i] ?? 0) - centreA;
    const y = (b[i] ?? 0) - centreB;
    product += x * y;
    squareA += x * x;
    squareB += y * y;
  }
  const scale = Math.sqrt(squareA * squareB);
  return scale === 0 ? 0 : product / scale;
}

/** Pearson's correlation of the ranks. */
export function spearman(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return pearson(ranks(a), ranks(b));
}

/** Ranks from 1; equal values share the middle of theirs. */
export function ranks(values: ArrayLike<number>): number[] {
  const order = Array.from(values, (_, i) => i).sort((i, j) => (values[i] ?? 0) - (values[j] ?? 0));
  const out: number[] = new Array<number>(order.length).fill(0);
  for (let from = 0; from < order.length; ) {
    let to = from;
    while (to < order.length && values[order[to] ?? 0] === values[order[from] ?? 0]) to++;
    for (let at = from; at < to; at++) out[order[at] ?? 0] = (from + to + 1) / 2;
    from = to;
  }
  return out;
}

/** How often a marked example has more than an unmarked one; equal counts half. */
export function areaUnderCurve(values: ArrayLike<number>, marked: (i: number) => boolean): number {
  const all = ranks(values);
  let sum = 0;
  let count = 0;
  for (const [i, rank] of all.entries()) {
    if (!marked(i)) continue;
    sum += rank;
    count++;
  }
  return (sum - (count * (count + 1)) / 2) / (count * (all.length - count));
}
