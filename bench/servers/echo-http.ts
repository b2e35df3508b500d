import { answerTo, type Message } from './echo.ts'
import { ready } from './ready.ts'

/** Sessions for clients of 2025-11-25, none for those of 2026-07-28; plain JSON answers and no stream of its own. */
const sessions = new Set<string>()

const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  async fetch(request) {
    const session = request.headers.get('mcp-session-id')
    if (session !== null && !sessions.has(session)) return new Response(null, { status: 404 })
    if (request.method === 'DELETE' && session !== null) {
      sessions.delete(session)
      return new Response(null, { status: 204 })
    }
    if (request.method !== 'POST') return new Response(null, { status: 405 })
    const message = (await request.json()) as Message
    const text = answerTo(message)
    if (text === null) return new Response(null, { status: 202 })
    const headers: Record<string, string> = { 'Content-Type': 'application/json' }
    if (message.method === 'initialize') {
      const id = crypto.randomUUID()
      sessions.add(id)
      headers['Mcp-Session-Id'] = id
    }
    return new Response(text, { headers })
  },
})

ready({ url: `http://127.0.0.1:${server.port}/mcp` })
