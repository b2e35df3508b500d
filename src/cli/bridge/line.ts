import { pause } from '../../upstreams/pause.ts'
import { repeatedHeaders } from './headers.ts'
import { errorText, isRequest, type Message, nameOf, oneLine, parsed, refusalIn } from './message.ts'
import { sessionOver } from './session.ts'
import { discard, readEvents, sentenceFor, wireTo } from './wire.ts'

const LAST_ANSWERS_MS = 1_000

type Ears = { write(text: string): void; warn(sentence: string): void }

/** Carries each message as it is, with the headers that its protocol wants. */
export function lineTo(url: string, key: string, { write, warn }: Ears) {
  const over = new AbortController()
  const wire = wireTo(url, key)
  const session = sessionOver(wire, write, over.signal)
  const repeated = repeatedHeaders()
  const inFlight = new Map<string, AbortController>()
  const underway = new Set<Promise<void>>()
  let order: Promise<void> = Promise.resolve()

  function hear(text: string): void {
    const message = parsed(text)
    if (message === null) return write(errorText(null, -32700, 'This line is no JSON-RPC message.'))
    const { method } = message
    if (method === 'notifications/cancelled') return void cancel(message, text)
    session.remember(message, text)
    // what comes after a handshake waits for it; everything else goes at once
    const work = isRequest(message) ? order.then(() => ask(message, text)) : order.then(() => session.say(text))
    if (method === 'initialize') order = work
    if (method === 'notifications/initialized') order = work.then(() => void session.listen())
    underway.add(work)
    void work.finally(() => underway.delete(work))
  }

  /** Hanging up says it in the newer protocol; the older one wants it in words too. */
  async function cancel({ params }: Message, text: string): Promise<void> {
    await session.say(text)
    inFlight.get(nameOf(params?.requestId))?.abort()
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
    if (!answered && message.method !== 'subscriptions/listen')
      fail(
        message,
        `${url} answered with HTTP status ${answer.status}, but not to this request. Is it an MCP endpoint?`,
      )
  }

  function learn({ method }: Message, { result }: Message): void {
    if (method === 'initialize' && typeof result?.protocolVersion === 'string') session.agreed(result.protocolVersion)
    if (method === 'tools/list') repeated.learn(result?.tools)
  }

  async function end(): Promise<void> {
    const waited = new AbortController()
    await Promise.race([Promise.all(underway), pause(LAST_ANSWERS_MS, waited.signal)])
    waited.abort()
    over.abort()
    await session.leave()
  }

  function fail({ id }: Message, sentence: string): void {
    warn(sentence)
    write(errorText(id ?? null, -32050, sentence, { code: 'upstream_unavailable' }))
  }

  return { hear, end }
}
