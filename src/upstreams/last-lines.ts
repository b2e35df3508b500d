const MOST_LINES = 200
const LONGEST = 2_048
const LONGEST_READ = 16_384

/** The last lines that a server printed beside its protocol, for whoever looks why it fails. Never part of an answer. */
export type LastLines = {
  add(line: string): void
  /** A piece of a stream of text; lines may be spread over pieces. */
  write(piece: string): void
  all(): string[]
}

export function lastLines(mask: (line: string) => string): LastLines {
  const lines: string[] = []
  let unfinished = ''

  function add(line: string): void {
    // Masked before it is cut, or half a secret would escape at the cut.
    const shown = mask(line.slice(0, LONGEST_READ))
    lines.push(shown.length > LONGEST ? `${shown.slice(0, LONGEST - 1)}…` : shown)
    if (lines.length > MOST_LINES) lines.shift()
  }

  return {
    add,
    write(piece) {
      const parts = (unfinished + piece).split('\n')
      unfinished = parts.pop()!.slice(0, LONGEST_READ)
      for (const line of parts) if (line.trim() !== '') add(line.trimEnd())
    },
    all: () => (unfinished.trim() === '' ? [...lines] : [...lines, mask(unfinished).slice(0, LONGEST)]),
  }
}
