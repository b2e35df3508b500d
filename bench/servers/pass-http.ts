import { ready } from './ready.ts'

/** The ceiling in front of an HTTP upstream: every request onward as it came, nothing asked, nothing noted. */
const upstream = process.argv[2]!
const ONWARD = ['content-type', 'accept', 'mcp-protocol-version', 'mcp-session-id', 'mcp-method', 'mcp-name']
const BACK = ['content-type', 'mcp-session-id']

const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  async fetch(request) {
    const body = request.method === 'POST' ? await request.text() : undefined
    const answer = await fetch(upstream, { method: request.method, headers: some(request.headers, ONWARD), body })
    return new Response(await answer.text(), { status: answer.status, headers: some(answer.headers, BACK) })
  },
})

function some(headers: Headers, names: string[]): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const name of names) {
    const value = headers.get(name)
    if (value !== null) kept[name] = value
  }
  return kept
}

ready({ url: `http://127.0.0.1:${server.port}/mcp` })
