import { linesOf } from '../upstreams/lines.ts'
import { pause } from '../upstreams/pause.ts'
import { sseReader } from '../upstreams/sse.ts'
import { VERSION } from '../version.ts'
import { type Command, type Input, UsageError } from './command.ts'
import { remark } from './print.ts'

const LIMIT_BYTES = 64 * 1024 * 1024
const PATIENCE_MS = 30_000
const LAST_ANSWERS_MS = 1_000
const WAIT_MS = { first: 250, longest: 5_000 }
const ABOUT = 'io.modelcontextprotocol/'

export const bridgeCommands: Command[] = [
  {
    name: 'bridge',
    args: 'URL',
    about: 'For clients that only start programs: MCP on standard input and output here, HTTP to a Claviger there.',
    notes: [
      'URL is that of the MCP endpoint, such as https://keys.example.com/mcp or …/mcp/docs. The key is read from the',
      'variable CLAVIGER_KEY: an argument would stand in the process list.',
      '  {"command": "claviger", "args": ["bridge", "https://keys.example.com/mcp"], "env": {"CLAVIGER_KEY": "…"}}',
    ],
    run: bridge,
  },
]

async function bridge(input: Input): Promise<void> {
  const { world } = input
  const key = world.env.CLAVIGER_KEY?.trim()
  const url = endpointIn(input.args[0]!)
  if (!key) throw new UsageError('Set the variable CLAVIGER_KEY to the key that this client shall use.')
  const line = bridgeTo(url, key, {
    write: (text) => world.out(`${text}\n`),
    warn: (sentence) => remark(world, sentence),
  })
  const stopped = new Promise<void>((resolve) => world.onStop(resolve))
  await Promise.race([readLines(line.hear), stopped])
  await line.end()
}

function endpointIn(typed: string): string {
  const url = URL.parse(typed)
  if (!url || !/^https?:$/.test(url.protocol))
    throw new UsageError('URL is that of an MCP endpoint, such as https://keys.example.com/mcp')
  if (/api.?key/i.test(url.search) || url.password || url.username)
    throw new UsageError('Leave the key out of the URL, which the process list shows. Put it into CLAVIGER_KEY.')
  if (url.pathname === '/') url.pathname = '/mcp'
  return url.href
}

async function readLines(hear: (text: string) => void): Promise<void> {
  const cut = linesOf(LIMIT_BYTES, {
    line: (text) => void (text.trim() === '' || hear(text)),
    tooLong: () => hear(''),
  })
  for await (const chunk of Bun.stdin.stream()) cut(Buffer.from(chunk))
}

type Message = { id?: string | number | null; method?: string; params?: Record<string, unknown> }
type Ears = { write(text: string): void; warn(sentence: string): void }
type Line = { hear(text: string): void; end(): Promise<void> }

/** Carries each message as it is. Of the older protocol it keeps the session, of the newer one it writes the headers. */
function bridgeTo(url: string, key: string, { write, warn }: Ears): Line {
  const ours = {
    Authorization: `Bearer ${key}`,
    'Content-Type': 'application/json',
    Accept: 'application/json, text/event-stream',
    'User-Agent': `claviger-bridge/${VERSION}`,
  }
  const over = new AbortController()
  const inFlight = new Map<string, AbortController>()
  const underway = new Set<Promise<void>>()
  /** What a new session must be told to be as the old one was: the handshake, then subscriptions and the like. */
  const told = new Map<string, string>()
  const parameters = new Map<string, Map<string, string>>()
  let session: string | null = null
  let version: string | null = null
  let renewing: Promise<void> | null = null
  let listening: AbortController | null = null
  let order: Promise<void> = Promise.resolve()

  function hear(text: string): void {
    const message = parsed(text)
    if (message === null) return write(errorText(null, -32700, 'This line is no JSON-RPC message.'))
    const { method } = message
    if (method === 'notifications/cancelled') return void cancel(message, text)
    remember(message, text)
    // what comes after a handshake waits for it; everything else goes at once
    const work = isRequest(message) ? order.then(() => ask(message, text)) : order.then(() => say(text))
    if (method === 'initialize') order = work
    if (method === 'notifications/initialized') order = work.then(() => void listen())
    underway.add(work)
    void work.finally(() => underway.delete(work))
  }

  /** Hanging up says it in the newer protocol; the older one wants it in words too. */
  async function cancel({ params }: Message, text: string): Promise<void> {
    await say(text)
    inFlight.get(nameOf(params?.requestId))?.abort()
  }

  function remember({ method, params }: Message, text: string): void {
    if (method === 'resources/subscribe') told.set(`uri ${params?.uri}`, text)
    else if (method === 'resources/unsubscribe') told.delete(`uri ${params?.uri}`)
    else if (method && ['initialize', 'notifications/initialized', 'logging/setLevel'].includes(method))
      told.set(method, text)
  }

  async function ask(message: Message, text: string): Promise<void> {
    const stop = new AbortController()
    const name = nameOf(message.id)
    inFlight.set(name, stop)
    try {
      await exchange(message, text, AbortSignal.any([stop.signal, over.signal]))
    } catch (error) {
      if (!stop.signal.aborted && !over.signal.aborted) fail(message, sentenceFor(url, error))
    } finally {
      if (inFlight.get(name) === stop) inFlight.delete(name)
    }
  }

  async function exchange(message: Message, text: string, signal: AbortSignal): Promise<void> {
    const used = session
    const answer = await post(text, headersFor(message), signal)
    if (answer.status !== 404 || used === null || message.method === 'initialize') return relay(answer, message)
    await discard(answer)
    await renew(used)
    await relay(await post(text, headersFor(message), signal), message)
  }

  async function relay(answer: Response, message: Message): Promise<void> {
    if (message.method === 'initialize') session = answer.headers.get('mcp-session-id')
    const type = answer.headers.get('content-type') ?? ''
    let answered = false
    const take = (text: string) => {
      const heard = parsed(text)
      const isAnswer = heard !== null && heard.method === undefined
      if (isAnswer) answered = true
      if (isAnswer) learn(message, heard)
      write(isAnswer && heard.id !== message.id ? JSON.stringify({ ...heard, id: message.id }) : oneLine(text))
    }
    if (type.startsWith('text/event-stream')) await readEvents(answer, take)
    else if (type.startsWith('application/json')) {
      const text = await answer.text()
      if (answer.status === 401 || answer.status === 403) warn(refusalIn(text))
      if (parsed(text) !== null) take(text)
    } else await discard(answer)
    if (!answered && message.method !== 'subscriptions/listen')
      fail(
        message,
        `${url} answered with HTTP status ${answer.status}, but not to this request. Is it an MCP endpoint?`,
      )
  }

  /** The revision that was agreed on, and which arguments of a tool a header repeats (SEP-2243). */
  function learn({ method }: Message, { result }: Message & { result?: Record<string, unknown> }): void {
    if (method === 'initialize' && typeof result?.protocolVersion === 'string') version = result.protocolVersion
    if (method !== 'tools/list' || !Array.isArray(result?.tools)) return
    for (const { name, inputSchema } of result.tools as Tool[])
      parameters.set(
        name,
        new Map(
          Object.entries(inputSchema?.properties ?? {}).flatMap(([member, schema]) =>
            typeof schema?.['x-mcp-header'] === 'string' ? [[member, schema['x-mcp-header']] as const] : [],
          ),
        ),
      )
  }

  function headersFor({ method, params = {} }: Message): Record<string, string> {
    const meta = params._meta as Record<string, unknown> | undefined
    const revision = meta?.[`${ABOUT}protocolVersion`]
    if (typeof revision !== 'string') return sessionHeaders()
    const named = params.name ?? params.uri
    const given = (params.arguments ?? {}) as Record<string, unknown>
    const repeated = [...(parameters.get(String(params.name)) ?? [])].flatMap(([member, header]) =>
      ['string', 'number', 'boolean'].includes(typeof given[member])
        ? [[`Mcp-Param-${header}`, headerValue(String(given[member]))] as const]
        : [],
    )
    return {
      'MCP-Protocol-Version': revision,
      'Mcp-Method': method!,
      ...(typeof named === 'string' && { 'Mcp-Name': headerValue(named) }),
      ...(method === 'tools/call' && Object.fromEntries(repeated)),
    }
  }

  function sessionHeaders(): Record<string, string> {
    return {
      ...(session !== null && { 'Mcp-Session-Id': session }),
      ...(version !== null && { 'MCP-Protocol-Version': version }),
    }
  }

  /** Notifications, and answers to what the server asked: nobody waits for more than their receipt. */
  async function say(text: string): Promise<void> {
    if (version === null) return // the newer protocol has none
    await post(text, sessionHeaders(), over.signal).then(discard, () => {})
  }

  /** Tries again only what cannot have arrived: while nothing listens there, or it says that it is shutting down. */
  async function post(body: string, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
    const since = performance.now()
    for (let waitMs = WAIT_MS.first; ; waitMs = Math.min(waitMs * 2, WAIT_MS.longest)) {
      const mayWait = performance.now() - since < PATIENCE_MS
      try {
        const answer = await send('POST', headers, signal, body)
        if (answer.status !== 503 || !answer.headers.has('retry-after') || !mayWait) return answer
        await discard(answer)
      } catch (error) {
        if (signal.aborted || !mayWait || !isRefusedConnection(error)) throw error
      }
      await pause(waitMs, signal)
    }
  }

  function send(method: string, headers: Record<string, string>, signal: AbortSignal, body?: string) {
    // without Bun's own five minutes; a redirect could carry the key elsewhere
    const options = { method, headers: { ...ours, ...headers }, body, signal, redirect: 'manual', timeout: false }
    return fetch(url, options as BunFetchRequestInit)
  }

  /** The server has started anew and knows our session no more; the client need not notice. */
  function renew(lost: string): Promise<void> {
    if (session !== lost) return renewing ?? Promise.resolve()
    session = null
    listening?.abort()
    renewing = (async () => {
      const answer = await post(told.get('initialize')!, {}, over.signal)
      session = answer.headers.get('mcp-session-id')
      await discard(answer)
      for (const [name, text] of told) if (name !== 'initialize') await say(text)
      void listen()
    })()
    return renewing
  }

  /** What the server says unasked, for as long as there is a session. */
  async function listen(): Promise<void> {
    const mine = new AbortController()
    listening = mine
    const signal = AbortSignal.any([mine.signal, over.signal])
    for (let waitMs = WAIT_MS.first; !signal.aborted; waitMs = Math.min(waitMs * 2, WAIT_MS.longest)) {
      const used = session
      try {
        const answer = await send('GET', { ...sessionHeaders(), Accept: 'text/event-stream' }, signal)
        if (answer.ok) {
          waitMs = WAIT_MS.first
          await readEvents(answer, (text) => write(oneLine(text)))
        } else {
          await discard(answer)
          if (answer.status === 404 && used !== null) return void (await renew(used))
          if (answer.status < 500) return
        }
      } catch {
        // broken off, or not reachable just now: opened again below
      }
      await pause(waitMs, signal)
    }
  }

  async function end(): Promise<void> {
    const waited = new AbortController()
    await Promise.race([Promise.all(underway), pause(LAST_ANSWERS_MS, waited.signal)])
    waited.abort()
    over.abort()
    if (session === null) return
    await send('DELETE', sessionHeaders(), AbortSignal.timeout(LAST_ANSWERS_MS)).then(discard, () => {})
  }

  function fail({ id }: Message, sentence: string): void {
    warn(sentence)
    write(errorText(id ?? null, -32050, sentence, { code: 'upstream_unavailable' }))
  }

  return { hear, end }
}

type Tool = { name: string; inputSchema?: { properties?: Record<string, Record<string, unknown> | undefined> } }

async function readEvents(answer: Response, take: (text: string) => void): Promise<void> {
  const hear = sseReader(LIMIT_BYTES, {
    event({ data, type }) {
      if (type === 'message') take(data)
    },
  })
  for await (const piece of answer.body ?? []) hear(piece as Uint8Array)
}

function parsed(text: string): Message | null {
  try {
    const message: unknown = JSON.parse(text)
    return typeof message === 'object' && message !== null ? (message as Message) : null
  } catch {
    return null
  }
}

function isRequest({ id, method }: Message): boolean {
  return method !== undefined && id !== undefined && id !== null
}

/** 1 and "1" are two ids. */
function nameOf(id: unknown): string {
  return JSON.stringify(id) ?? ''
}

/** Line breaks in JSON are white space: those in its strings are written as \n. */
function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, ' ')
}

function headerValue(text: string): string {
  const plain = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text) && !text.startsWith('=?base64?')
  return plain ? text : `=?base64?${Buffer.from(text).toString('base64')}?=`
}

function errorText(id: unknown, code: number, message: string, data?: object): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error: { code, message, ...(data && { data }) } })
}

function refusalIn(text: string): string {
  const { error } = (parsed(text) ?? {}) as { error?: { message?: unknown } }
  return typeof error?.message === 'string' ? error.message : 'Claviger refuses this.'
}

function isRefusedConnection(error: unknown): boolean {
  return ['ConnectionRefused', 'ECONNREFUSED'].includes(String((error as { code?: unknown }).code))
}

function sentenceFor(url: string, error: unknown): string {
  const { origin } = new URL(url)
  if (isRefusedConnection(error)) return `Nothing answers at ${origin}. Is Claviger running there?`
  return `The connection to ${origin} broke: ${(error as Error).message}. Try again.`
}

async function discard(answer: Response): Promise<void> {
  await answer.body?.cancel().catch(() => {})
}
