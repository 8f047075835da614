/** What is explored. Small, so that all of it can be. */
import type { Scenario } from './world.ts';

const TWO = { ceiling: 2n };
const STREAM = { ceiling: 3n, stream: { unit: 1n, links: 2 } };

const SERVED = ['ask 0', 'voucher', 'charge 1'];
const AGREED = ['ask 0', 'consent to 0'];
const DUE = ['withdraw', 'the next block', 'the next block', 'the payee looks', 'ask 0'];
const STREAMED = ['ask 0', 'voucher', 'go on', 'link'];

/** Requests and claims, and all that happens to a channel. */
export const SCENARIOS: readonly Scenario[] = [
  { name: 'one lane', lanes: 1, deposit: 6n, requests: [TWO, TWO, TWO], endings: false },
  { name: 'a stream', lanes: 1, deposit: 6n, requests: [STREAM, TWO], endings: false },
  { name: 'two lanes, deposit for one', lanes: 2, deposit: 3n, requests: [TWO, TWO], endings: false },
  { name: 'endings', lanes: 1, deposit: 6n, requests: [TWO, TWO], endings: true },
  {
    name: 'endings after a charge',
    lanes: 1,
    deposit: 6n,
    requests: [TWO, TWO],
    endings: true,
    begin: SERVED,
  },
  {
    name: 'endings after an agreement',
    lanes: 1,
    deposit: 6n,
    requests: [TWO],
    endings: true,
    begin: AGREED,
  },
  { name: 'endings when due', lanes: 1, deposit: 6n, requests: [TWO], endings: true, begin: DUE },
  {
    name: 'endings in a stream',
    lanes: 1,
    deposit: 6n,
    requests: [STREAM, TWO],
    endings: true,
    begin: STREAMED,
  },
];
