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
  tls: [certificate('a.test'), certificate('b.test')],
  fetch(request, server) {
    const name = request.headers.get('host')!.split(':')[0]!
    ports[name] ??= new Set()
    ports[name].add(server.requestIP(request)!.port)
    return new Response(name)
  },
})
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
for (const name of ['a.test', 'b.test', 'a.test', 'c.test', 'b.test', 'a.test']) said[name] = await call(name)
console.log(JSON.stringify({ said, connections: { a: ports['a.test']!.size, b: ports['b.test']!.size } }))
process.exit()
