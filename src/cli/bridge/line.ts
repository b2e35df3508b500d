import { pause } from '../../upstreams/pause.ts'
import { repeatedHeaders } from './headers.ts'
import { errorText, idsOfBatch, isRequest, type Message, nameOf, oneLine, parsed, refusalIn } from './message.ts'
import { sessionOver } from './session.ts'
import { discard, readEvents, sentenceFor, wireTo } from './wire.ts'

/** As long as a call that is under way may still take once nobody can ask for more. */
const LAST_ANSWERS_MS = 30_000
const LISTENS = 'subscriptions/listen' // is never answered while it works

type Ears = { write(text: string): void; warn(sentence: string): void }

export type Line = ReturnType<typeof lineTo>

/** Carries each message as it is, with the headers that its protocol wants. */
export function lineTo(url: string, key: string, { write, warn }: Ears) {
  const over = new AbortController()
  const wire = wireTo(url, key)
  const session = sessionOver(wire, write, over.signal)
  const repeated = repeatedHeaders()
  const inFlight = new Map<string, { message: Message; stop: AbortController }>()
  const underway = new Set<Promise<void>>()
  let order: Promise<void> = Promise.resolve()

  function hear(text: string): void {
    const message = parsed(text)
    if (message === null) return misheard(text)
    const { method } = message
    if (method === 'notifications/cancelled') return void cancel(message, text)
    session.remember(message, text)
    // what comes after a handshake waits for it; everything else goes at once
    const work = isRequest(message) ? ask(message, text, order) : order.then(() => session.say(text))
    if (method === 'initialize') order = work
    if (method === 'notifications/initialized') order = work.then(() => void session.listen())
    if (method === LISTENS) return
    underway.add(work)
    void work.finally(() => underway.delete(work))
  }

  function misheard(text: string): void {
    const ids = idsOfBatch(text)
    if (ids === null) return write(errorText(null, -32700, 'This line is no JSON-RPC message.'))
    for (const id of ids.length === 0 ? [null] : ids)
      refuse(id, 'Batches are not taken. Send each message on a line of its own.')
  }

  function refuse(id: unknown, sentence: string): void {
    write(errorText(id, -32600, sentence))
  }

  /** Hanging up says it in the newer protocol; the older one wants it in words too. */
  async function cancel({ params }: Message, text: string): Promise<void> {
    await session.say(text)
    inFlight.get(nameOf(params?.requestId))?.stop.abort()
  }

  async function ask(message: Message, text: string, before: Promise<void>): Promise<void> {
    const mine = { message, stop: new AbortController() }
    const { stop } = mine
    const name = nameOf(message.id)
    inFlight.set(name, mine)
    await before
    try {
      await exchange(message, text, AbortSignal.any([stop.signal, over.signal]))
    } catch (error) {
      if (!stop.signal.aborted && !over.signal.aborted) fail(message, sentenceFor(url, error))
    } finally {
      if (inFlight.get(name) === mine) inFlight.delete(name)
    }
  }

  async function exchange(message: Message, text: string, signal: AbortSignal): Promise<void> {
    const used = session.id()
    const post = () => wire.post(text, repeated.headersFor(message) ?? session.headers(), signal)
    const answer = await post()
    if (answer.status !== 404 || used === null || message.method === 'initialize') return relay(answer, message)
    await discard(answer)
    const refused = await session.renew(used)
    await relay(refused ? refused() : await post(), message)
  }

  async function relay(answer: Response, message: Message): Promise<void> {
    if (message.method === 'initialize') session.began(answer.headers.get('mcp-session-id'))
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
    if (!answered && message.method !== LISTENS)
      fail(
        message,
        `${url} answered with HTTP status ${answer.status}, but not to this request. Is it an MCP endpoint?`,
      )
  }

  function learn({ method }: Message, { result }: Message): void {
    if (method === 'initialize' && typeof result?.protocolVersion === 'string') session.agreed(result.protocolVersion)
    if (method === 'tools/list') repeated.learn(result?.tools)
  }

  /** Waits for what is under way, unless it is stopped. False if something was left without its answer. */
  async function end(stopped: Promise<void>): Promise<boolean> {
    const waited = new AbortController()
    await Promise.race([Promise.all(underway), stopped, pause(LAST_ANSWERS_MS, waited.signal)])
    waited.abort()
    const open = [...inFlight.values()].flatMap(({ message }) => (message.method === LISTENS ? [] : [message]))
    over.abort()
    for (const message of open) fail(message, 'The bridge ended before this was answered. Ask again.', 'shutting_down')
    await session.leave()
    return open.length === 0
  }

  function fail({ id }: Message, sentence: string, code = 'upstream_unavailable'): void {
    warn(sentence)
    write(errorText(id ?? null, -32050, sentence, { code }))
  }

  return { hear, refuse, end }
}
