import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { UNLOGGED, waysOutside, whyOutOfReach } from '../../../src/core/connect/outside.ts'

it('keeps keys out of a proxy’s log in the same words as the manual', () => {
  const manual = readFileSync(join(import.meta.dirname, '../../../docs/clients.md'), 'utf8')
  for (const { content } of UNLOGGED) expect(manual).toContain(content)
})

describe('whether a service on the internet can come here', () => {
  it.each([
    'http://127.0.0.1:8484',
    'http://localhost:8484',
    'https://localhost',
    'https://keys.internal',
    'https://keys',
    'https://keys.home.arpa',
    'https://mac.local:8443',
    'https://10.1.2.3',
    'https://172.20.0.1',
    'https://192.168.1.4',
    'https://100.100.1.1',
    'https://169.254.1.1',
    'http://[::1]:8484',
    'https://[fd00::1]',
    'https://[fe80::1]',
  ])('says that it cannot to %s', (origin) => {
    expect(whyOutOfReach(origin)).toBe(
      `${origin} can be reached from this machine or its network alone, not from the internet.`,
    )
  })

  it('says what plain http would give away', () => {
    expect(whyOutOfReach('http://keys.acme.com')).toMatch(
      /^http:\/\/keys\.acme\.com is not https: the key would travel/,
    )
  })

  it.each([
    'https://keys.acme.com',
    'https://172.64.1.1',
    'https://8.8.8.8:8443',
    'https://[2606:4700::1]',
    'https://100.128.0.1',
  ])('has nothing against %s', (origin) => {
    expect(whyOutOfReach(origin)).toBeNull()
  })

  it('tells ways to another address', () => {
    const told = waysOutside('http://127.0.0.1:8484').map(({ content }) => content)
    expect(told.join('\n')).toContain('cloudflared tunnel --url http://127.0.0.1:8484')
    expect(told.join('\n')).toContain('reverse_proxy 127.0.0.1:8484')
    expect(told.join('\n')).toContain('CLAVIGER_PUBLIC_URL=')
  })
})
