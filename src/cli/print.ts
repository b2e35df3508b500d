import { scrub } from '../log.ts'
import type { Input, World } from './command.ts'

/** Names come from people; a control character in one must not drive the terminal. */
const UNSAFE = /[\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029\ufeff]/gu

export function printJson(input: Input, data: unknown): void {
  const text = JSON.stringify(data, null, 2).replace(UNSAFE, (sign) =>
    sign === '\n' ? sign : `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  input.world.out(`${text}\n`)
}

export function printLine(input: Input, line: string): void {
  input.world.out(`${oneLine(line)}\n`)
}

/** To stderr, which scripts that read the answer leave alone. No key passes. */
export function remark(world: World, line: string): void {
  world.err(`${oneLine(scrub(line))}\n`)
}

type Cell = string | number | Date | null

/** Columns wide enough for what is in them; no lines, so that `awk` can read it too. */
export function printTable(input: Input, titles: string[], rows: Cell[][], ifEmpty: string): void {
  if (rows.length === 0) return printLine(input, ifEmpty)
  printColumns(input, [titles, ...rows])
}

export function printFields(input: Input, fields: [string, Cell][]): void {
  printColumns(input, fields)
}

function printColumns(input: Input, rows: Cell[][]): void {
  const cells = rows.map((row) => row.map((cell) => oneLine(readable(cell))))
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => Bun.stringWidth(row[column]!))))
  for (const row of cells) {
    const padded = row.map((cell, column) => cell + ' '.repeat(widths[column]! - Bun.stringWidth(cell)))
    printLine(input, padded.join('  ').trimEnd())
  }
}

function readable(cell: Cell): string {
  if (cell instanceof Date) return cell.toISOString().replace(/\.\d{3}Z$/, 'Z')
  return cell === null || cell === '' ? '-' : String(cell)
}

export function oneLine(text: string): string {
  return text.replace(UNSAFE, ' ')
}
