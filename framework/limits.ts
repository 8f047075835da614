/**
 * Most elements of repeated fields in one message, and in each part of a transaction. An element takes two
 * bytes and a thousand times as long to read as to send; nobody has paid for it yet.
 */
export const ELEMENTS_MAX = 20_000;

/**
 * The same of what state holds: a message that had as many may have made something that has more. A periodic
 * vesting account adds the sum of its periods, and what of it is delegated; an allowance by period adds what
 * may be spent in this one: each is at most as much again.
 */
export const STORED_ELEMENTS_MAX: number = 3 * ELEMENTS_MAX;
