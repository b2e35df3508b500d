import type { Connected, JsonObject } from './clients.ts'
import type { RealServer } from './servers.ts'

type Options = {
  folder: string
  /** What stands before the names of tools and prompts: nothing, or at `/mcp` the slug. */
  prefix: string
  /** An older client: it may subscribe and set a log level, which 2026-07-28 knows in another form. */
  older: boolean
  /** It has declared that it can be asked. */
  able: boolean
}

export type Observation = Awaited<ReturnType<typeof observe>>

/** Everything that a client can see of a server, as plain data that can be compared. */
export async function observe(client: Connected, server: RealServer, { folder, prefix, older, able }: Options) {
  const offered = client.hello.capabilities as JsonObject
  const seen: { asked: string; answer: unknown; progress: unknown[] }[] = []
  const plain = (value: unknown) => comparable(value, folder, prefix)

  async function ask({ method, params }: { method: string; params: JsonObject }): Promise<void> {
    const { answer, progress } = await client.ask(method, prefixed(method, params, prefix))
    seen.push({
      asked: plain(`${method} ${JSON.stringify(params)}`) as string,
      answer: plain(answer),
      progress: progress.filter(isEarly),
    })
  }

  const lists = await listsOf(client, offered, plain)
  const [first, ...others] = server.asks(folder)
  await ask(first!) // at /mcp a server hears of its client now
  if (able && older && server.settled) await client.untilHeard(server.settled.method, server.settled.fits)
  for (const one of others) await ask(one)
  if (able && older) for (const one of server.questions ?? []) await ask(one)
  if (older && server.watched) {
    const { uri, begin, end } = server.watched
    await ask({ method: 'resources/subscribe', params: { uri } })
    await ask(begin)
    await client.untilHeard('notifications/resources/updated', (params) => params.uri === uri)
    await ask({ method: 'resources/unsubscribe', params: { uri } })
    if (end) await ask(end)
  }
  if (older && able && server.logging) {
    await ask({ method: 'logging/setLevel', params: { level: 'debug' } })
    await ask(server.logging.begin)
    await client.untilHeard('notifications/message', ({ data }) => / level-message|-level message/.test(String(data)))
    await ask(server.logging.end)
  }
  return { hello: plain(client.hello), lists, seen, heard: heardBy(client, plain) }
}

/** The SDK's clients lose reports that they read in one chunk with the answer: the last ones, on a busy machine. */
function isEarly(report: unknown): boolean {
  const { progress, total = Number.POSITIVE_INFINITY } = report as { progress: number; total?: number }
  return progress <= total / 2
}

async function listsOf(client: Connected, offered: JsonObject, plain: (value: unknown) => unknown) {
  const lists: Record<string, unknown> = {}
  const of: [string, string, string][] = [
    ['tools', 'tools/list', 'tools'],
    ['prompts', 'prompts/list', 'prompts'],
    ['resources', 'resources/list', 'resources'],
    ['resources', 'resources/templates/list', 'resourceTemplates'],
  ]
  for (const [capability, method, member] of of) {
    lists[member] = [] // a server without the capability offers none of it; Claviger at /mcp has them all
    if (!offered[capability]) continue
    const { answer } = await client.ask(method, {})
    lists[member] = plain((answer as JsonObject)[member])
  }
  return lists
}

/**
 * Sorted, since what arrives on different streams has no order among itself. That a list changed is told once or several
 * times: at /mcp the connection that asks for the lists hears of it too. That the tools changed, server-everything says
 * before a client over HTTP has opened the stream to hear it on, so it is left out.
 */
function heardBy({ heard }: Connected, plain: (value: unknown) => unknown) {
  const texts = heard
    .filter(({ method }) => method !== 'notifications/tools/list_changed')
    .map(({ method, params }) => JSON.stringify([method, plain(params)]))
  const once = texts.filter((text, i) => !text.includes('/list_changed"') || texts.indexOf(text) === i)
  return once.sort().map((text) => JSON.parse(text) as [string, unknown])
}

function prefixed(method: string, params: JsonObject, prefix: string): JsonObject {
  if (method === 'tools/call' || method === 'prompts/get') return { ...params, name: prefix + params.name }
  const ref = params.ref as JsonObject | undefined
  return ref?.type === 'ref/prompt' ? { ...params, ref: { ...ref, name: prefix + ref.name } } : params
}

/**
 * Without what differs between two runs of one server, or between two eras of one answer, and says nothing of a
 * gateway: its folder, times of day, random ids and log levels, how a process was started, and the members that 2026-07-28 adds to
 * every result (`resultType`, `ttlMs`, `cacheScope`, the server's name in `_meta`).
 */
function comparable(value: unknown, folder: string, prefix: string): unknown {
  if (typeof value === 'string') return comparableText(value, folder)
  if (Array.isArray(value)) return value.map((one) => comparable(one, folder, prefix))
  if (typeof value !== 'object' || value === null) return value
  if ('level' in value && LOG_LINE.test(String((value as JsonObject).data))) return '{a log line of some level}'
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, member]) => member !== undefined && !OF_AN_ERA.has(name))
      .map(([name, member]) => [name, comparableMember(name, member, folder, prefix)]),
  )
}

function comparableMember(name: string, member: unknown, folder: string, prefix: string): unknown {
  if (name === 'name' && typeof member === 'string' && member.startsWith(prefix)) return member.slice(prefix.length)
  const mayTellTheTime = name === 'blob' && typeof member === 'string' && member.length < 200
  return comparable(mayTellTheTime ? Buffer.from(member, 'base64').toString('latin1') : member, folder, prefix)
}

const OF_AN_ERA = new Set(['resultType', 'ttlMs', 'cacheScope', 'io.modelcontextprotocol/serverInfo'])
const LOG_LINE = /^(Debug|Info|Notice|Warning|Error|Critical|Alert|Emergency)[- ]level[- ]message.*$/
const CLOCK = /\b\d{1,2}:\d{2}:\d{2}( [AP]M)?/g
const DATE = /\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun) \w{3} \d{2} \d{4} /g
const UUID = /\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g

function comparableText(text: string, folder: string): string {
  if (text.startsWith('{') && text.includes('"PATH"')) return environmentOf(text, folder)
  return text.replaceAll(folder, '{folder}').replace(CLOCK, '{time}').replace(DATE, '{date} ').replace(UUID, '{uuid}')
}

/** Of `get-env`: only what was configured must be the same. */
function environmentOf(text: string, folder: string): string {
  const { FROM_CONFIGURATION } = JSON.parse(text) as Record<string, string>
  return `{environment} ${FROM_CONFIGURATION?.replaceAll(folder, '{folder}')}`
}
