import { readFileSync } from 'node:fs'

/** Seconds without a byte, or with next to none, after which Bun ends a connection; more than proxies' minute. */
export const IDLE_S = 120
/** Each door has its own limit and says it in its own voice; this one would only cut the connection. */
const MOST_BYTES = Number.MAX_SAFE_INTEGER

export type Served = {
  /** The address to open, the port that was picked included. */
  origin: string
  draining(): boolean
  /** Ends what would never end by itself, stops listening, waits for what is in flight, then cuts what is left. */
  close(graceMs: number, endStreams: () => void): Promise<void>
}

type Options = {
  host: string
  port: number
  certificate: string | null
  key: string | null
  idleSeconds?: number
}

export type Handler = {
  answer(request: Request, server: Bun.Server<undefined>): Promise<Response>
  /** For a mistake of ours that nothing else has caught. */
  failed(error: unknown): Response
}

/** One server for every door: Bun's own, which costs half of what node:http does. */
export function serve(
  { host, port, certificate, key, idleSeconds = IDLE_S }: Options,
  { answer, failed }: Handler,
): Served {
  if (Boolean(certificate) !== Boolean(key))
    throw new Error('To serve https set both CLAVIGER_TLS_CERT and CLAVIGER_TLS_KEY.')
  const tls = certificate && key ? { cert: readFileSync(certificate), key: readFileSync(key) } : undefined
  const server = listening(host, port, () =>
    Bun.serve({
      hostname: host,
      port,
      tls,
      idleTimeout: idleSeconds,
      maxRequestBodySize: MOST_BYTES,
      development: false, // no page of Bun's with our sources on it
      reusePort: false, // which Bun otherwise does then: two servers would share the port
      fetch: answer,
      error: failed,
    }),
  )
  const name = ['0.0.0.0', '::'].includes(host) ? 'localhost' : host.includes(':') ? `[${host}]` : host
  let closing = false
  return {
    origin: `${tls ? 'https' : 'http'}://${name}:${server.port}`,
    draining: () => closing,
    async close(graceMs, endStreams) {
      closing = true
      endStreams()
      const { promise: late, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, graceMs)
      await Promise.race([server.stop(), late])
      clearTimeout(timer)
      await server.stop(true)
    },
  }
}

function listening<T>(host: string, port: number, begin: () => T): T {
  try {
    return begin()
  } catch (error) {
    throw explained(error as NodeJS.ErrnoException, host, port)
  }
}

function explained(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === 'EADDRINUSE')
    return new Error(
      `Port ${port} on ${host} is in use. Stop what uses it, or choose another: --port 0 picks a free one.`,
    )
  if (error.code === 'EACCES')
    return new Error(`Port ${port} needs more rights than this user has. Choose one above 1023, such as 8484.`)
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND')
    return new Error(`${host} is no address of this machine. Set CLAVIGER_HOST to 127.0.0.1, or 0.0.0.0 for all.`)
  return error
}
