/** Text of strangers on its way to a reader's screen. */

/** Controls, and marks that turn the direction of what follows; line feeds and tabs stay. */
const UNSEEN = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

const SYMBOLS_FOR_CONTROLS = 0x2400;

/**
 * The text with what a terminal or a page would obey instead of show made visible: control characters as
 * their symbols, others as the replacement character. Carriage returns vanish.
 */
export function visibleText(text: string): string {
  return text.replace(UNSEEN, (character) => {
    if (character === '\n' || character === '\t') return character;
    if (character === '\r') return '';
    const code = character.charCodeAt(0);
    return code < 0x20 ? String.fromCharCode(SYMBOLS_FOR_CONTROLS + code) : '\ufffd';
  });
}
