import { invalid } from '../refusal.ts'
import type { NewMcp } from './edit.ts'
import type { Target } from './mcp.ts'

export type ReadConfig = {
  mcps: NewMcp[]
  /** What could not be taken, and why; the rest is. */
  passedOver: { name: string; why: string }[]
}

type Entry = Record<string, unknown>

/** The ecosystem's own format: `mcpServers` (Claude Desktop, Cursor and most others), `servers` (VS Code). */
export function readMcpServers(text: string): ReadConfig {
  const servers = serversIn(text)
  const read: ReadConfig = { mcps: [], passedOver: [] }
  const taken = new Set<string>()
  for (const [name, entry] of Object.entries(servers)) {
    const target = isObject(entry) ? targetIn(entry) : 'is no object'
    if (typeof target === 'string') read.passedOver.push({ name, why: target })
    else read.mcps.push({ slug: freeSlug(name, taken), name: name.trim().slice(0, 100) || null, live: target })
  }
  return read
}

function serversIn(text: string): Entry {
  let config: unknown
  try {
    config = JSON.parse(withoutComments(text))
  } catch {
    throw invalid(
      'config',
      'This is not valid JSON. Take the file as your client has it, such as claude_desktop_config.json.',
    )
  }
  const servers = isObject(config)
    ? (config.mcpServers ?? config.servers ?? (config.mcp as Entry | undefined)?.servers)
    : null
  if (!isObject(servers))
    throw invalid('config', "There is no `mcpServers` (or VS Code's `servers`) object in this file.")
  return servers
}

/** A target, or why there is none. */
function targetIn(entry: Entry): Target | string {
  if (entry.disabled === true) return 'is disabled in the file'
  const url = entry.url ?? entry.serverUrl ?? entry.httpUrl
  if (typeof url === 'string') return { kind: 'http', url, headers: texts(entry.headers) }
  if (typeof entry.command !== 'string' || !entry.command.trim()) return 'has neither `command` nor `url`'
  return {
    kind: 'stdio',
    command: entry.command,
    args: Array.isArray(entry.args) ? entry.args.map(String) : [],
    env: texts(entry.env),
    cwd: typeof entry.cwd === 'string' ? entry.cwd : null,
  }
}

/** `${env:NAME}`, as VS Code and Cursor write it, is our `${NAME}`. */
function texts(values: unknown): Record<string, string> {
  if (!isObject(values)) return {}
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, String(value).replace(/\$\{env:(\w+)\}/g, '${$1}')]),
  )
}

function freeSlug(name: string, taken: Set<string>): string {
  const wish =
    name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .slice(0, 28)
      .replace(/^-+|-+$/g, '') || 'mcp'
  let slug = wish
  for (let n = 2; taken.has(slug); n++) slug = `${wish}-${n}`
  taken.add(slug)
  return slug
}

/** Editors allow comments in their files; inside a string they are text. */
function withoutComments(text: string): string {
  return text.replace(/"(?:\\.|[^"\\])*"|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (part) => (part.startsWith('"') ? part : ''))
}

function isObject(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
