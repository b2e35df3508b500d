import type { Input } from './command.ts'

export function printJson(input: Input, data: unknown): void {
  input.world.out(`${JSON.stringify(data, null, 2)}\n`)
}

export function printLine(input: Input, line: string): void {
  input.world.out(`${line}\n`)
}

/** Columns wide enough for what is in them; no lines, so that `awk` can read it too. */
export function printTable(input: Input, titles: string[], rows: (string | number | null)[][], ifEmpty: string): void {
  if (rows.length === 0) return printLine(input, ifEmpty)
  const cells = [titles, ...rows.map((row) => row.map((cell) => oneLine(String(cell ?? '-'))))]
  const widths = titles.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)))
  for (const row of cells)
    printLine(
      input,
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
}

/** Names come from people; a control character in one must not drive the terminal. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]+/gu, ' ')
}
