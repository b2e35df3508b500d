import { expect, it } from 'vitest'
import { ROUTES } from '../../src/api/routes.ts'
import { CODES } from '../../src/core/refusal.ts'
import { start } from '../support/start.ts'

it('shows every operation to anybody', async () => {
  const { get } = await start()
  const response = await get('/api/docs')
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
  const html = await response.text()
  for (const { method, path, endpoint } of ROUTES) {
    expect(html).toContain(`id="${endpoint.operation.id}"`)
    expect(html).toContain(`${method.toUpperCase()} /api/v1${path}`)
  }
  for (const code of CODES) expect(html).toContain(`<code>${code}</code>`)
  expect(html).not.toMatch(/undefined|\[object|NaN/)
})

it('holds to the strict content policy', async () => {
  const { get, origin } = await start()
  const response = await get('/api/docs')
  const policy = response.headers.get('content-security-policy')!
  expect(policy).toContain("script-src 'self'")
  expect(policy).toContain("style-src 'self'")
  const html = await response.text()
  expect(html).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/)
  for (const [, address] of html.matchAll(/(?:src|href)="(\/static\/[^"]+)"/g))
    expect((await fetch(origin + address)).status).toBe(200)
})

it('leads nowhere that is not on the page', async () => {
  const { get } = await start()
  const html = await (await get('/api/docs')).text()
  const places = new Set([...html.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id))
  for (const [, target] of html.matchAll(/href="#([^"]+)"/g))
    expect([target, places.has(target!)]).toEqual([target, true])
})

it('names the host it was asked by, and nothing that was smuggled into it', async () => {
  const { get, origin } = await start()
  expect(await (await get('/api/docs?"><script>')).text()).toContain(`curl &#39;${origin}/api/v1/whoami&#39;`)
})

it('is closed until there is an owner', async () => {
  const { get } = await start({ setUp: false })
  for (const path of ['/api/docs', '/api/v1/openapi.json']) expect((await get(path)).status).toBe(503)
})
