import { connect } from 'node:net'
import { expect, it } from 'vitest'
import { modern, offering } from '../support/mcp.ts'
import { type Started, start } from '../support/start.ts'
import { answered, serve } from '../upstreams/serving.ts'

const LETTERS = 15_000_000

/** A server whose one tool answers more than any buffer on the way holds. */
function wordy() {
  return serve(({ method, message: { id, method: asked } }) => {
    if (method !== 'POST') return new Response(null, { status: 405 })
    if (id === undefined) return new Response(null, { status: 202 })
    if (asked === 'server/discover') return answered(id, { supportedVersions: ['2026-07-28'], capabilities: {} })
    return answered(id, { resultType: 'complete', content: [{ type: 'text', text: 'x'.repeat(LETTERS) }] })
  })
}

/** A caller who has seen the head of the answer, and reads on when it likes. */
async function beginning(app: Started, key: string, accept: string) {
  const { hostname, port, host } = new URL(app.origin)
  const { body, headers } = modern('tools/call', { name: 'words', arguments: {} })
  const text = JSON.stringify(body)
  const lines = Object.entries({ ...headers, accept, 'content-type': 'application/json' }).map(
    ([name, value]) => `${name}: ${value}`,
  )
  const socket = connect(Number(port), hostname)
  const heard = { bytes: 0, end: '', closed: false }
  const begun = Promise.withResolvers<void>()
  socket.on('data', (piece: Buffer) => {
    heard.bytes += piece.length
    heard.end = (heard.end + piece.subarray(-50).toString()).slice(-50)
    if (heard.bytes < 1_000_000) socket.pause()
    begun.resolve()
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    heard.closed = true
  })
  socket.write(
    [
      `POST /mcp/fix HTTP/1.1`,
      `Host: ${host}`,
      `Authorization: Bearer ${key}`,
      `Content-Length: ${text.length}`,
      ...lines,
      '',
      text,
    ].join('\r\n'),
  )
  await begun.promise
  return { heard, readOn: () => socket.resume() }
}

it.each(['application/json', 'application/json, text/event-stream'])(
  'gets a large answer whole while the server stops (%s)',
  async (accept) => {
    const app = await start()
    await offering(app, 'fix', { live: { kind: 'http', url: wordy().url, headers: {} } })
    const { fullKey } = await app.key()
    const { heard, readOn } = await beginning(app, fullKey, accept)
    expect(heard.bytes).toBeLessThan(LETTERS)
    const closing = app.close()
    const reading = setInterval(readOn, 1)
    await closing
    await expect.poll(() => heard.closed, { timeout: 10_000 }).toBe(true)
    clearInterval(reading)
    expect(heard.bytes).toBeGreaterThan(LETTERS)
    expect(heard.end).toContain('xxx"}]}}')
  },
)
