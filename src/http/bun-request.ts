import type { Log } from '../log.ts'
import type { Incoming } from './messages.ts'
import { look, type Proxies, type Seen } from './seen.ts'

/** What is the same for every request. */
type Door = { https: boolean; proxies: Proxies; log: Log }

/** One request of Bun's own, and what is known of it before anybody reads it. */
export class BunRequest implements Incoming {
  readonly request: Request
  readonly method: string
  readonly url: string
  /** Without the query. */
  readonly path: string
  readonly headers: Incoming['headers']
  readonly seen: Seen
  readonly #serverLog: Log
  #log: Log | null = null

  constructor(request: Request, id: string, address: string, { https, proxies, log }: Door) {
    this.request = request
    this.method = request.method
    this.url = targetOf(request.url)
    this.path = pathOf(this.url)
    this.headers = request.headers.toJSON()
    this.seen = look(this, id, address, https, proxies)
    this.#serverLog = log
  }

  /** Made when there is something to say: most requests are answered without a word. */
  get log(): Log {
    this.#log ??= this.#serverLog.with({ request_id: this.seen.id })
    return this.#log
  }
}

const END = /[?#]/

export function pathOf(url: string): string {
  const end = url.search(END)
  return end < 0 ? url : url.slice(0, end)
}

/** The path and query. Bun prefixes them with the host that the request names, where that is a host at all. */
function targetOf(url: string): string {
  return url.startsWith('http') ? url.slice(url.indexOf('/', 'https://'.length)) : url
}
