const NEWLINE = 10
const KEPT_OF_TOO_LONG = 200

export type LineEars = {
  line(text: string): void
  /** A line beyond the limit, of which only both ends were kept: they may tell whose answer it was. */
  tooLong(start: string, end: string): void
}

/** Cuts a stream of bytes into lines. Works on bytes, so that no chunk's edge can split a character. */
export function linesOf(limitBytes: number, ears: LineEars): (chunk: Buffer) => void {
  let held: Buffer[] = []
  let heldBytes = 0
  let dropping = false
  let start = ''
  let end: Buffer = Buffer.alloc(0)

  function hold(piece: Buffer): void {
    if (piece.length === 0) return
    if (!dropping && heldBytes + piece.length > limitBytes) {
      const all = Buffer.concat([...held, piece])
      start = all.toString('utf8', 0, KEPT_OF_TOO_LONG)
      end = Buffer.from(all.subarray(-KEPT_OF_TOO_LONG))
      dropping = true
      held = []
      heldBytes = 0
    } else if (dropping) {
      end = Buffer.from(Buffer.concat([end, piece.subarray(-KEPT_OF_TOO_LONG)]).subarray(-KEPT_OF_TOO_LONG))
    } else {
      held.push(piece)
      heldBytes += piece.length
    }
  }

  function finish(): void {
    if (dropping) ears.tooLong(start, end.toString('utf8'))
    else if (heldBytes > 0) ears.line((held.length === 1 ? held[0]! : Buffer.concat(held)).toString('utf8'))
    held = []
    heldBytes = 0
    dropping = false
  }

  return (chunk) => {
    let from = 0
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
      if (heldBytes === 0 && !dropping && at - from <= limitBytes) {
        if (at > from) ears.line(chunk.toString('utf8', from, at))
      } else {
        hold(chunk.subarray(from, at))
        finish()
      }
      from = at + 1
    }
    if (from < chunk.length) hold(from === 0 ? chunk : Buffer.from(chunk.subarray(from)))
  }
}
