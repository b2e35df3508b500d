import { expect, it } from 'vitest'
import { modern, offering, overStdio } from '../support/mcp.ts'
import { request, sendRaw } from '../support/raw.ts'
import { start } from '../support/start.ts'

it.each([
  ['another call', '/mcp/fix', 'echo'],
  ['something else', '/healthz', null],
])(
  'hangs up on a request sent behind one that is not answered yet, so that nobody hears another’s answer: %s',
  async (_what, path, tool) => {
    const app = await start()
    await offering(app, 'fix', { live: overStdio() })
    const { fullKey } = await app.key()
    const call = (name: string, args: object, more: string[] = []) => {
      const { body, headers } = modern('tools/call', { name, arguments: args })
      const text = JSON.stringify(body)
      const lines = Object.entries({ ...headers, authorization: `Bearer ${fullKey}` }).map(
        ([key, of]) => `${key}: ${of}`,
      )
      return [
        'POST /mcp/fix HTTP/1.1',
        'Host: localhost',
        'Content-Type: application/json',
        `Content-Length: ${Buffer.byteLength(text)}`,
        ...lines,
        ...more,
        '',
        text,
      ].join('\r\n')
    }
    const slow = call('sleep', { ms: 300, label: 'slow' })
    const quick = tool
      ? call(tool, { text: 'quick' }, ['Connection: close'])
      : request(`GET ${path} HTTP/1.1`, 'Host: localhost')
    const { text } = await sendRaw(app.origin, slow + quick)
    expect(text).toBe('')
  },
)
