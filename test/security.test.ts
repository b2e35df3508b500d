import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { revoke } from '../src/core/keys/lifecycle.ts'
import { folder, PASSWORD, terminal } from './cli/terminal.ts'
import { modern, overStdio } from './support/mcp.ts'
import { serving } from './support/process.ts'
import { operator, start } from './support/start.ts'

it('accepts nothing that starts after the answer to a revocation', async () => {
  const app = await start({ level: 'info' })
  for (let round = 0; round < 10; round++) {
    const { key, fullKey } = await app.key()
    const { fullKey: manager } = await app.key({ scopes: ['mcp:*', 'keys:write'] })
    const accepted: number[] = []
    let revokedAt = Number.POSITIVE_INFINITY
    const verifiers = Array.from({ length: 8 }, async () => {
      for (;;) {
        const startedAt = performance.now()
        const { status } = await app.get('/api/v1/whoami', fullKey)
        if (status === 200) accepted.push(startedAt)
        else return status
      }
    })
    const answer = await app.post(`/api/v1/keys/${key.id}/revoke`, {}, manager)
    revokedAt = performance.now()
    expect(answer.status).toBe(200)
    expect(new Set(await Promise.all(verifiers))).toEqual(new Set([401]))
    expect(accepted.filter((startedAt) => startedAt > revokedAt)).toEqual([])
  }
})

it('leaves a key revoked whatever races with it', async () => {
  const app = await start({ level: 'info' })
  const { fullKey: manager } = await app.key({ scopes: ['mcp:*', 'keys:write'] })
  for (let round = 0; round < 10; round++) {
    const { key, fullKey } = await app.key()
    const act = (verb: string) => app.post(`/api/v1/keys/${key.id}/${verb}`, {}, manager)
    const rename = app.call('PATCH', `/api/v1/keys/${key.id}`, { key: manager, body: { name: 'renamed' } })
    await Promise.all([
      act('disable'),
      act('enable'),
      revoke(app.ctx, operator, app.workspace.id, key.id, 'race'),
      act('enable'),
      rename,
    ])
    expect(await (await app.get('/api/v1/whoami', fullKey)).json()).toMatchObject({ code: 'revoked_key' })
  }
})

/** A server as people run it, at its most talkative, and what was used on it. */
async function whole() {
  const dataDir = join(folder(), 'data')
  const shell = terminal({ dataDir })
  await shell.user('ana@example.com', '--owner')
  const { command, args } = overStdio()
  await shell.good('mcps', 'add', 'fix', '--set-env', 'TOKEN=upstream-credential-of-fix', '--', command, ...args)
  const { key: fullKey, id } = await shell.json(
    'keys',
    'create',
    '--name',
    'all',
    '--allow-in-url',
    '--scope',
    'mcp:*',
    '--scope',
    'keys:write',
    '--scope',
    'mcps:write',
  )
  const server = await serving(dataDir, { CLAVIGER_LOG_LEVEL: 'debug' })
  return { dataDir, fullKey: String(fullKey), id: String(id), ...server }
}

it('stays revoked after a kill -9 right behind the answer', async () => {
  const { dataDir, fullKey, id, origin, server } = await whole()
  const headers = { authorization: `Bearer ${fullKey}` }
  const answer = await fetch(`${origin}/api/v1/keys/${id}/revoke`, { method: 'POST', headers })
  expect(answer.status).toBe(200)
  server.kill('SIGKILL')
  await server.exited
  const again = await serving(dataDir)
  expect(await (await fetch(`${again.origin}/api/v1/whoami`, { headers })).json()).toMatchObject({
    code: 'revoked_key',
  })
  await again.stop()
})

it('leaves no secret in a log, an answer, a page or a file', async () => {
  const { dataDir, fullKey, origin, stop } = await whole()
  const said: string[] = []
  const secrets = [fullKey, PASSWORD, 'upstream-credential-of-fix', 'header-credential-of-wiki', 'typed-wrongly-by-ana']
  async function visit(path: string, init: RequestInit = {}) {
    const answer = await fetch(origin + path, { redirect: 'manual', ...init })
    said.push(JSON.stringify([...answer.headers].filter(([name]) => name !== 'set-cookie')), await answer.text())
    return answer
  }
  const form = (body: Record<string, string>, cookie = '') => ({
    method: 'POST',
    headers: { 'sec-fetch-site': 'same-origin', cookie },
    body: new URLSearchParams(body),
  })
  const json = (body: object) => ({
    method: 'POST',
    headers: { authorization: `Bearer ${fullKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

  await visit('/admin/sign-in', form({ email: 'ana@example.com', password: 'typed-wrongly-by-ana' }))
  const entered = await visit('/admin/sign-in', form({ email: 'ana@example.com', password: PASSWORD }))
  const cookie = entered.headers.get('set-cookie')!.split(';')[0]!
  secrets.push(cookie.split('=')[1]!)
  for (const path of ['/keys', '/members', '/mcps', '/mcps/fix', '/settings'])
    await visit(`/admin/w/main${path}`, { headers: { cookie } })
  await visit(
    '/api/v1/mcps',
    json({
      slug: 'wiki',
      live: { url: 'https://wiki.example/mcp', headers: { Authorization: 'Bearer header-credential-of-wiki' } },
    }),
  )
  await visit('/api/v1/keys', json({ name: 'x', expires_at: fullKey })) // pasted into the wrong field
  await visit(`/api/v1/whoami?api_key=${fullKey}`)
  await visit(`/mcp/fix?api_key=${fullKey}`, { method: 'POST', body: '{' })
  await visit(`/mcp/fix?%61pi_key=${fullKey}&x=1`, { method: 'POST', body: '{' })
  await visit(`/nowhere/${fullKey}`, { headers: { authorization: `Bearer ${fullKey}x` } })
  const { body, headers } = modern('tools/call', { name: 'echo', arguments: { text: 'hi' } })
  await visit('/mcp/fix', {
    ...json(body),
    headers: { ...headers, 'content-type': 'application/json', 'x-api-key': fullKey },
  })
  const { code, out, err } = await stop()

  expect(code).toBe(0)
  const files = readdirSync(dataDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'secret')
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
  const sinks = { log: out + err, answers: said.join('\n'), files: files.join('\n') }
  for (const [sink, text] of Object.entries(sinks))
    for (const [at, secret] of secrets.entries()) expect([sink, at, text.includes(secret)]).toEqual([sink, at, false])
  expect(sinks.log.split('\n').filter(Boolean).length).toBeGreaterThan(10)
})
