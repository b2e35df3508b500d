import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { Line, Turn } from '../../src/upstreams/http-line.ts'
import { placeOf, requestText } from '../../src/upstreams/http-request.ts'
import { spareLines } from '../../src/upstreams/spare-lines.ts'
import { serve } from './serving.ts'

function placed(url: string, host: string | null = null) {
  return placeOf({ href: url, host, serverName: null })
}

/** Carries one exchange to its end. */
function carried(line: Line): Promise<void> {
  return new Promise((resolve, reject) => {
    const turn: Turn = { head() {}, piece() {}, ended: resolve, failed: reject }
    expect(line.begin(turn, requestText(line.place, 'POST', '', '{}'))).toBe(true)
  })
}

describe('a connection that waits', () => {
  it('is used again by the same place alone', async () => {
    const { url } = serve(() => new Response('{}'))
    const lines = spareLines()
    const line = lines.open(placed(url))
    expect(lines.has(line.place)).toBe(false)
    await carried(line)
    for (const other of [placed(url, 'a.test'), placed(url.replace('127.0.0.1', '127.0.0.2'))])
      expect([lines.has(other), lines.take(other)]).toEqual([false, null])
    expect(lines.has(line.place)).toBe(true)
    expect(lines.take(placed(url))).toBe(line)
    expect(lines.take(placed(url))).toBeNull()
    line.drop()
  })

  it('is not used any more after four seconds', async () => {
    const { url } = serve(() => new Response('{}'))
    let later = 0
    const lines = spareLines(() => performance.now() + later)
    const line = lines.open(placed(url))
    await carried(line)
    later = 4_001
    expect(lines.take(line.place)).toBeNull()
    expect(line.isUsable(0)).toBe(false)
  })

  it('is closed when nobody comes for it', async () => {
    const { url } = serve(() => new Response('{}'))
    let later = 0
    const lines = spareLines(() => performance.now() + later)
    await Promise.all([1, 2, 3].map(() => carried(lines.open(placed(url)))))
    expect(lines.count()).toBe(3)
    later = 4_001
    await expect.poll(() => lines.count(), { timeout: 10_000 }).toBe(0)
  })

  it('keeps no process alive, but an exchange does', async () => {
    const { url } = serve(async (seen) => {
      await new Promise((resolve) => setTimeout(resolve, 50))
      return new Response(seen.text)
    })
    const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, 'fakes/asking.ts'), url])
    expect(stdout).toBe('"one" "two" ')
  })
})

describe('a place', () => {
  it.each([
    ['https://127.0.0.1/', null, null, { address: '127.0.0.1', port: 443, tls: { serverName: undefined } }],
    [
      'https://[::1]:8443/',
      null,
      null,
      { address: '::1', port: 8443, tls: { serverName: undefined }, host: '[::1]:8443' },
    ],
    ['https://localhost/a?b', null, null, { tls: { serverName: 'localhost' }, host: 'localhost', target: '/a?b' }],
    ['https://1.1.1.1/', 'a.test', 'a.test', { address: '1.1.1.1', tls: { serverName: 'a.test' }, host: 'a.test' }],
    ['http://1.1.1.1/#x', 'a.test:80', null, { port: 80, tls: null, host: 'a.test:80', target: '/' }],
  ])('of %s (%s, %s) is where it was checked', (href, host, serverName, place) => {
    expect(placeOf({ href, host, serverName })).toMatchObject(place)
  })
})
