/**
 * Whether a JSON text has more brackets open at once than so many. Asked before parsing, which follows any depth: to
 * write such a value again overflows the stack, after a second in which nobody else is served.
 */
export function isDeep(text: string, most: number): boolean {
  if (text.length <= 2 * most) return false // each bracket must be closed too
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const sign = text.charCodeAt(at)
    if (sign === QUOTE) at = endOfString(text, at)
    else if (sign === BRACE || sign === BRACKET) {
      if (++depth > most) return true
    } else if (sign === BRACE + 2 || sign === BRACKET + 2) depth--
  }
  return false
}

const [QUOTE, BRACE, BRACKET, BACKSLASH] = [34, 123, 91, 92]

/** From quote to quote: texts are long, and most of what a message is. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let before = end
    while (text.charCodeAt(before - 1) === BACKSLASH) before--
    if ((end - before) % 2 === 0) return end
  }
  return text.length
}
