/**
 * Most elements of repeated fields in one message, and in each part of a transaction. An element takes two
 * bytes and a thousand times as long to read as to send; nobody has paid for it yet.
 */
export const ELEMENTS_MAX = 20_000;
