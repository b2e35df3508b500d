import { readFileSync } from 'node:fs'
import { httpExchange } from '../../../src/upstreams/exchange.ts'
import { addressGuard } from '../../../src/upstreams/guard.ts'

/**
 * Run with NODE_EXTRA_CA_CERTS: a server with certificates for a.test and b.test, and calls to it by several names
 * which all lead to 127.0.0.1. Prints what came of them.
 */
const [dir] = process.argv.slice(2)
const certificate = (name: string) => ({
  serverName: name,
  cert: readFileSync(`${dir}/${name}.crt`, 'utf8'),
  key: readFileSync(`${dir}/${name}.key`, 'utf8'),
})
const ports: Record<string, Set<number>> = {}
const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  development: false,
  tls: [certificate('a.test'), certificate('b.test'), certificate('expired.test')],
  idleTimeout: 0,
  async fetch(request, server) {
    if (request.method === 'GET') {
      request.signal.addEventListener('abort', () => left.resolve('left'))
      return new Response(new ReadableStream({ start: (stream) => stream.enqueue('data: 1\n\n') }), {
        headers: { 'Content-Type': 'text/event-stream' },
      })
    }
    const body = await request.text()
    const name = request.headers.get('host')!.split(':')[0]!
    ports[name] ??= new Set()
    ports[name].add(server.requestIP(request)!.port)
    return new Response(body === '{}' ? name : body)
  },
})
const left = Promise.withResolvers<string>()
const guard = addressGuard({ allowPrivate: true, lookup: async () => ['127.0.0.1'] })

async function call(name: string): Promise<string> {
  const target = { kind: 'http' as const, url: `https://${name}:${server.port}/mcp`, headers: {} }
  try {
    const answer = await httpExchange(target, { environment: {}, guard })({
      body: '{}',
      signal: AbortSignal.timeout(5_000),
    })
    return await answer.text()
  } catch (error) {
    return (error as Error).message
  }
}

const said: Record<string, string> = {}
for (const name of ['a.test', 'b.test', 'a.test', 'c.test', 'b.test', 'expired.test', 'a.test'])
  said[name] = await call(name)

const ask = httpExchange(
  { kind: 'http', url: `https://a.test:${server.port}/mcp`, headers: {} },
  { environment: {}, guard },
)
const large = 'ä'.repeat(3_000_000)
const isWhole = (await (await ask({ body: large, signal: new AbortController().signal })).text()) === large

const caller = new AbortController()
const stream = await ask({ method: 'GET', signal: caller.signal })
const heard = await new Promise((resolve) => {
  stream.read((piece) => resolve(new TextDecoder().decode(piece))).catch(() => {})
})
caller.abort()

const connections = { a: ports['a.test']!.size, b: ports['b.test']!.size }
console.log(JSON.stringify({ said, connections, isWhole, heard, left: await left.promise }))
process.exit()
