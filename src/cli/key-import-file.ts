import { readFileSync } from 'node:fs'
import { readExpiry, readNotBefore } from '../core/keys/expiry.ts'
import { type ImportedKey, readSha256 } from '../core/keys/importing.ts'
import type { Environment, KeyType, McpAccess } from '../core/keys/key.ts'
import { Refusal } from '../core/refusal.ts'
import { type Input, UsageError } from './command.ts'
import { readCsv } from './csv.ts'
import { readGrant } from './key-options.ts'

export type Row = { at: string; wanted: ImportedKey }

/** Many keys: a table (CSV) with names in its first line, a JSON array, or a JSON object in each line. */
export async function readRows(input: Input, file: string): Promise<Row[]> {
  const text = (file === '-' ? await input.world.stdin() : read(file)).replace(/^\ufeff/, '').trim()
  const source = file === '-' ? 'Standard input' : file
  const rows = recordsOf(text, source)
  if (rows.length === 0) throw new UsageError(`${source} holds no key.`)
  return rows.map((record, i) => {
    const at = `Key ${i + 1} of ${source}`
    try {
      return { at, wanted: wantedOf(record, input.world.now()) }
    } catch (error) {
      if (error instanceof Refusal || error instanceof UsageError) throw new UsageError(`${at}: ${error.message}`)
      throw error
    }
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

/** The names of the REST API; in a table, several of one kind are parted by spaces. Empty means left out. */
const READ: Record<string, (value: unknown, now: Date) => Partial<ImportedKey>> = {
  name: (value) => ({ name: String(value) }),
  sha256: (value) => ({ sha256: readSha256(String(value)).toString('hex') }),
  hint: (value) => ({ hint: String(value) }),
  description: (value) => ({ description: String(value) }),
  environment: (value) => ({ environment: word<Environment>(value, ['live', 'test']) }),
  type: (value) => ({ type: word<KeyType>(value, ['restricted', 'unrestricted']) }),
  scopes: (value) => ({ scopes: words(value) }),
  mcps: (value) => ({ mcpAccess: { mode: 'selected', mcps: words(value).map(readGrant) } }),
  mcp_access: (value) => ({ mcpAccess: accessOf(value) }),
  ip_allow: (value) => ({ ipAllow: words(value) }),
  rate_limit_per_minute: (value) => ({ rateLimitPerMinute: Number(value) }),
  quota_per_day: (value) => ({ quotaPerDay: Number(value) }),
  allow_in_url: (value) => ({ allowInUrl: word(String(value), ['true', 'false']) === 'true' }),
  not_before: (value) => ({ notBefore: readNotBefore(String(value)) }),
  expires_at: (value, now) => ({ expiresAt: readExpiry(String(value), now) }),
}

function wantedOf(record: Record_, now: Date): ImportedKey {
  const wanted: Partial<ImportedKey> = {}
  for (const [name, value] of Object.entries(record)) {
    const read = Object.hasOwn(READ, name) ? READ[name] : undefined
    if (!read) throw new UsageError(`"${name}" is not known. Give ${Object.keys(READ).join(', ')}.`)
    if (value !== '' && value !== null) Object.assign(wanted, read(value, now))
  }
  if (wanted.name === undefined || wanted.sha256 === undefined) throw new UsageError('Give its name and its sha256.')
  return { ...wanted, name: wanted.name, sha256: wanted.sha256 }
}

function words(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : String(value).split(/\s+/).filter(Boolean)
}

function word<T extends string>(value: unknown, known: T[]): T {
  const found = known.find((one) => one === value)
  if (!found) throw new UsageError(`"${value}" is neither ${known.join(' nor ')}.`)
  return found
}

/** As the REST API writes it; what it names is judged where all access is. */
function accessOf(value: unknown): McpAccess {
  const access = value as { mode?: unknown; mcps?: { slug?: unknown; tools?: unknown }[] }
  if (access.mode === 'all') return { mode: 'all' }
  if (access.mode !== 'selected' || !Array.isArray(access.mcps))
    throw new UsageError('mcp_access is {"mode": "all"} or {"mode": "selected", "mcps": [{"slug": "docs"}]}.')
  return {
    mode: 'selected',
    mcps: access.mcps.map(({ slug, tools }) => ({ slug: String(slug), tools: tools == null ? null : words(tools) })),
  }
}
