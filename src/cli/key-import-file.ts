import { readFileSync } from 'node:fs'
import type { ImportedKey } from '../core/keys/importing.ts'
import { Refusal } from '../core/refusal.ts'
import { type Input, UsageError } from './command.ts'
import { readCsv } from './csv.ts'
import { wantedOf } from './key-import-fields.ts'

export type Row = { at: string; wanted: ImportedKey }

/** Many keys: a table (CSV) with names in its first line, a JSON array, or a JSON object in each line. */
export async function readRows(input: Input, file: string): Promise<Row[]> {
  const text = (file === '-' ? await input.world.stdin() : read(file)).replace(/^\ufeff/, '').trim()
  const source = file === '-' ? 'Standard input' : file
  const rows = recordsOf(text, source)
  if (rows.length === 0) throw new UsageError(`${source} holds no key.`)
  const keys = rows.map((record, i) => {
    const at = `Key ${i + 1} of ${source}`
    try {
      return { at, wanted: wantedOf(record, input.world.now()) }
    } catch (error) {
      if (error instanceof Refusal || error instanceof UsageError) throw new UsageError(`${at}: ${error.message}`)
      throw error
    }
  })
  checkEachOnce(keys)
  return keys
}

/** The second name of a key would otherwise be lost without a word. */
function checkEachOnce(rows: Row[]): void {
  const first = new Map<string, number>()
  rows.forEach(({ at, wanted: { sha256 } }, i) => {
    const earlier = first.get(sha256)
    if (earlier !== undefined) throw new UsageError(`${at} has the same SHA-256 as key ${earlier + 1}.`)
    first.set(sha256, i)
  })
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`The file ${file} cannot be read (${(error as { code?: string }).code ?? 'error'}).`)
  }
}

type Record_ = Record<string, unknown>

function recordsOf(text: string, source: string): Record_[] {
  if (!/^[[{]/.test(text)) return readCsv(text)
  try {
    const list = text.startsWith('[')
      ? JSON.parse(text)
      : text
          .split(/\r?\n/)
          .filter(Boolean)
          .map((line) => JSON.parse(line))
    if (list.every((one: unknown) => typeof one === 'object' && one !== null && !Array.isArray(one))) return list
  } catch {}
  throw new UsageError(`${source} cannot be read. Write a table (CSV), a JSON array, or one JSON object in each line.`)
}
