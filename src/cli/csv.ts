import { UsageError } from './command.ts'

/** RFC 4180: commas, quotes doubled inside quotes. Each row under the names of the first. */
export function readCsv(text: string): Record<string, string>[] {
  const [names = [], ...rows] = cellsOf(text)
  return rows.map((cells, i) => {
    if (cells.length > names.length)
      throw new UsageError(`Row ${i + 2} has more cells than the first row has names. Put texts with commas in quotes.`)
    return Object.fromEntries(names.map((name, column) => [name.trim(), (cells[column] ?? '').trim()]))
  })
}

function cellsOf(text: string): string[][] {
  const rows: string[][] = [[]]
  const cell = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r?\n|$)/gy
  for (let found = cell.exec(text); ; found = cell.exec(text)) {
    if (!found) throw new UsageError(`Row ${rows.length} is no CSV: a quote stands alone. Double it inside quotes.`)
    const [, content, end] = found
    rows.at(-1)!.push(content!.startsWith('"') ? content!.slice(1, -1).replaceAll('""', '"') : content!)
    if (end === '') break
    if (end !== ',') rows.push([])
  }
  return rows.filter((row) => row.some((one) => one.trim() !== ''))
}
