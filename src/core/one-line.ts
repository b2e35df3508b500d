const UNSEEN = /[\p{Cc}\p{Cs}\p{Bidi_Control}\p{Zl}\p{Zp}\ufeff]+/u

/** Whether a text stands on one line and reads as it is written: nothing in it moves, hides or turns what is around. */
export function isOneLine(text: string): boolean {
  return !UNSEEN.test(text)
}

export function asOneLine(text: string): string {
  return text.split(UNSEEN).join(' ')
}
