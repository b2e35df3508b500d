import { createSecretKey } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { withoutSecretsIn } from '../../../src/core/mcps/address.ts'
import type { HttpTarget, StdioTarget } from '../../../src/core/mcps/mcp.ts'
import { sealShown, sealTarget, unsealTarget } from '../../../src/core/mcps/sealing.ts'

const key = createSecretKey(Buffer.alloc(32, 7))
const at = (url: string): HttpTarget => ({ kind: 'http', url, headers: { Authorization: 'Bearer for-the-upstream' } })

describe('a target at rest', () => {
  it.each([
    'https://mcp.example.com/mcp?apiKey=hunter2&region=eu',
    'https://mcp.example.com/s/hunter2aVeryLongSecret99/mcp',
  ])('holds nothing of the secrets in %s, and all of it once unsealed', (url) => {
    const sealed = sealTarget(key, at(url))
    expect(JSON.stringify(sealed)).not.toMatch(/hunter2|for-the-upstream/)
    expect(unsealTarget(key, sealed)).toEqual(at(url))
  })

  it('shows an address without secrets as it is', () => {
    const { url } = sealTarget(key, at('https://mcp.example.com:8443/v2/mcp')) as HttpTarget
    expect(url).toBe('https://mcp.example.com:8443/v2/mcp')
  })

  it('is read as well when it was kept by a version that left addresses open', () => {
    const { sealedUrl: _none, ...old } = sealTarget(key, at('https://mcp.example.com/mcp')) as HttpTarget
    const kept = { ...old, url: 'https://mcp.example.com/mcp?apiKey=hunter2' }
    expect(unsealTarget(key, kept)).toMatchObject({ url: 'https://mcp.example.com/mcp?apiKey=hunter2' })
    expect(JSON.stringify(sealShown(key, kept))).not.toContain('hunter2')
    expect(unsealTarget(key, sealShown(key, kept))).toEqual(unsealTarget(key, kept))
  })
})

describe('a command at rest', () => {
  const command: StdioTarget = {
    kind: 'stdio',
    command: 'npx',
    args: ['-y', 'server', '--token', 'hunter2', 'postgresql://ana:hunter2@db.example/shop'],
    env: { TOKEN: 'for-the-upstream' },
    cwd: null,
  }

  it('holds nothing of the secrets among its arguments, and all of it once unsealed', () => {
    const sealed = sealTarget(key, command)
    expect(JSON.stringify(sealed)).not.toMatch(/hunter2|for-the-upstream/)
    expect(sealed).toMatchObject({ args: ['-y', 'server', '--token', '…', 'postgresql://ana:…@db.example/shop'] })
    expect(unsealTarget(key, sealed)).toEqual(command)
  })

  it('is read as well when it was kept by a version that left arguments open', () => {
    const { sealedArgs: _none, ...old } = sealTarget(key, command) as StdioTarget
    const kept = { ...old, args: command.args }
    expect(unsealTarget(key, kept)).toEqual(command)
    expect(JSON.stringify(sealShown(key, kept))).not.toContain('hunter2')
    expect(unsealTarget(key, sealShown(key, kept))).toEqual(command)
  })

  it('without secrets is kept as it is', () => {
    const plain = { ...command, args: ['-y', '@scope/server', '/srv/files'] }
    expect(sealTarget(key, plain)).toMatchObject({ args: plain.args })
    expect(sealTarget(key, plain)).not.toHaveProperty('sealedArgs')
  })
})

it.each([
  ['https://a.example/mcp?key=x&b=', 'https://a.example/mcp?key=…&b=…'],
  ['https://a.example/api/550e8400-e29b-41d4-a716-446655440000/sse', 'https://a.example/api/…/sse'],
  ['https://a.example/a-long-name-without-numbers/mcp', 'https://a.example/a-long-name-without-numbers/mcp'],
  ['https://a.example/mcp?key=…', 'https://a.example/mcp?key=…'],
  ['https://a.example/…/mcp?key=…', 'https://a.example/…/mcp?key=…'],
  ['https://ana:x@a.example/mcp', 'https://ana:…@a.example/mcp'],
  ['https://a.example:8443/s/hunter2aVeryLongSecret99?a#b', 'https://a.example:8443/s/…?a=…'],
])('tells of %s only %s', (url, told) => {
  expect(withoutSecretsIn(url)).toBe(told)
})
