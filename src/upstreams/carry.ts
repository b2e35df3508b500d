import http from 'node:http'
import https from 'node:https'
import { pipeline, Readable } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import type { Destination } from './guard.ts'

export type Parcel = {
  method: 'GET' | 'POST' | 'DELETE'
  headers: Record<string, string>
  body?: string
  signal: AbortSignal
}

/** An answer of which nothing but the head was read; `done` once its body is read or given up. */
export type Carried = { response: Response; done(): void }

/** Bun 1.4 runs 256 fetches at a time and lets all others wait, however long those last. */
const MOST_FETCHES = 192
let fetches = 0

/**
 * One HTTP exchange with a checked address. By `fetch`, which costs least, while it has room to spare; what may last
 * for hours, and what comes when many are under way, goes by node:http, which knows no limit.
 */
export function carry(to: Destination, parcel: Parcel, lasting = false): Promise<Carried> {
  return lasting || fetches >= MOST_FETCHES ? byNode(to, parcel) : byFetch(to, parcel)
}

async function byFetch({ href, host, serverName }: Destination, { method, headers, body, signal }: Parcel) {
  fetches++
  let under = true
  const done = () => {
    if (under) fetches--
    under = false
  }
  try {
    const response = await fetch(href, {
      method,
      headers: host === null ? headers : { ...headers, Host: host },
      body,
      signal,
      redirect: 'manual',
      timeout: false, // Bun's five minutes; our deadlines are the caller's
      tls: serverName === null ? undefined : { serverName },
    } as BunFetchRequestInit)
    return { response, done }
  } catch (error) {
    done()
    throw error
  }
}

const agents = {
  'http:': new http.Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY }),
  'https:': new https.Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY }),
}

function byNode({ href, host, serverName }: Destination, { method, headers, body, signal }: Parcel): Promise<Carried> {
  const url = new URL(href)
  const scheme = url.protocol as 'http:' | 'https:'
  return new Promise((resolve, reject) => {
    const request = (scheme === 'https:' ? https : http).request(url, {
      method,
      headers: {
        ...headers,
        Host: host ?? url.host,
        ...(body !== undefined && { 'Content-Length': Buffer.byteLength(body) }),
      },
      agent: agents[scheme],
      signal,
      servername: serverName ?? undefined,
    })
    request.once('response', (answer) => {
      answer.on('error', () => {}) // told to whoever reads the body
      const status = answer.statusCode!
      const bodiless = status === 204 || status === 304
      if (bodiless) answer.resume()
      const response = new Response(bodiless ? null : (Readable.toWeb(decoded(answer)) as unknown as ReadableStream), {
        status,
        headers: Object.entries(answer.headers).flatMap(([name, value]): [string, string][] =>
          value === undefined ? [] : [[name, String(value)]],
        ),
      })
      resolve({ response, done() {} })
    })
    request.on('error', reject)
    request.end(body)
  })
}

const DECODERS = { gzip: createGunzip, deflate: createInflate, br: createBrotliDecompress }

/** Some servers compress unasked; `fetch` undoes it by itself. */
function decoded(answer: http.IncomingMessage): Readable {
  const decoder = DECODERS[answer.headers['content-encoding'] as keyof typeof DECODERS]
  return decoder ? pipeline(answer, decoder(), () => {}) : answer
}
