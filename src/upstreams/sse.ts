export type SseEvent = { data: string; type: string; id: string | null }

export type SseEars = {
  event(event: SseEvent): void
  /** How long the server wants us to wait before connecting again. */
  retry?(milliseconds: number): void
  /** An id that came with or without data: from here a stream can be taken up again. */
  id?(id: string): void
}

export class EventTooLarge extends Error {
  override name = 'EventTooLarge'
}

/**
 * Reads a text/event-stream piece by piece (HTML Living Standard §9.2.6). An event that is not finished by a blank
 * line never happened.
 */
export function sseReader(limit: number, ears: SseEars): (piece: Uint8Array) => void {
  const decoder = new TextDecoder()
  let unfinished: string[] = []
  let size = 0
  let skipLineFeed = false
  let data: string[] = []
  let type = ''
  let id: string | null = null

  function field(line: string): void {
    const colon = line.indexOf(':')
    if (colon === 0) return // a comment keeps the connection alive
    const name = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (name === 'data') data.push(value)
    else if (name === 'event') type = value
    else if (name === 'id' && !value.includes('\0')) id = value
    else if (name === 'retry' && /^\d+$/.test(value)) ears.retry?.(Number(value))
  }

  function dispatch(): void {
    const text = data.length === 1 ? data[0]! : data.join('\n')
    const event = { data: text, type: type || 'message', id }
    if (id !== null) ears.id?.(id)
    data = []
    type = ''
    size = 0
    if (text !== '') ears.event(event)
  }

  function line(text: string): void {
    if (text === '') dispatch()
    else field(text)
  }

  function grow(by: number): void {
    size += by
    if (size > limit) throw new EventTooLarge('An event of the stream is too large.')
  }

  return (piece) => {
    const text = decoder.decode(piece, { stream: true })
    let from = skipLineFeed && text[0] === '\n' ? 1 : 0
    if (text !== '') skipLineFeed = false
    let lineFeed = text.indexOf('\n', from)
    let carriageReturn = text.indexOf('\r', from)
    while (lineFeed !== -1 || carriageReturn !== -1) {
      const atReturn = carriageReturn !== -1 && (lineFeed === -1 || carriageReturn < lineFeed)
      const at = atReturn ? carriageReturn : lineFeed
      grow(at - from)
      const rest = text.slice(from, at)
      const whole = unfinished.length === 0 ? rest : unfinished.join('') + rest
      unfinished = []
      from = at + 1
      if (atReturn && text[from] === '\n') from++
      else if (atReturn && from === text.length) skipLineFeed = true
      line(whole)
      if (lineFeed !== -1 && lineFeed < from) lineFeed = text.indexOf('\n', from)
      if (carriageReturn !== -1 && carriageReturn < from) carriageReturn = text.indexOf('\r', from)
    }
    if (from === text.length) return
    grow(text.length - from)
    unfinished.push(from === 0 ? text : text.slice(from))
  }
}
