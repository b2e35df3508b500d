import { describe, expect, it } from 'vitest'
import { newId } from '../../src/core/ids.ts'
import { deriveSecrets, hashToken, newToken, Secret } from '../../src/core/secret.ts'

describe('what is derived from the instance’s secret', () => {
  const one = deriveSecrets(new Secret('the secret of one instance, long enough'))
  const other = deriveSecrets(new Secret('the secret of another one, long enough'))
  const bytes = ({ keys, tokens, audit, sealing, fingerprint }: typeof one) => [
    ...[keys, tokens, audit, sealing].map((key) => key.export().toString('hex')),
    fingerprint,
  ]

  it('differs for each purpose and each instance', () => {
    expect(new Set([...bytes(one), ...bytes(other)]).size).toBe(10)
    for (const key of bytes(one).slice(0, 4)) expect(key).toMatch(/^[0-9a-f]{64}$/)
  })

  it('is the same again', () => {
    expect(bytes(deriveSecrets(new Secret('the secret of one instance, long enough')))).toEqual(bytes(one))
  })

  it('does not tell the secret', () => {
    expect(JSON.stringify(one) + Bun.inspect(one)).not.toContain('one instance')
  })

  it('hashes a token under the instance’s own', () => {
    const token = newToken('session').reveal()
    expect(token).toMatch(/^clv_session_[0-9a-f]{64}$/)
    expect(hashToken(one, token)).toBe(hashToken(one, token))
    expect(
      new Set([hashToken(one, token), hashToken(other, token), hashToken(one, newToken('session').reveal())]).size,
    ).toBe(3)
  })
})

describe('an id', () => {
  it('sorts by the time of its making, from now to the year 2262', () => {
    const times = [
      0,
      1,
      1_000,
      Date.parse('2001-01-01'),
      Date.parse('2026-06-01'),
      Date.parse('2026-06-01') + 1,
      Date.parse('2100-01-01'),
      Date.parse('2262-01-01'),
    ]
    const ids = times.map((time) => newId('key', new Date(time)))
    expect([...ids].reverse().sort()).toEqual(ids)
    expect(new Set(ids.map((id) => id.length))).toEqual(new Set([31]))
  })

  it('says what it names, and is like no other', () => {
    const ids = Array.from({ length: 1000 }, () => newId('req', new Date(0)))
    expect(new Set(ids).size).toBe(1000)
    for (const id of ids) expect(id).toMatch(/^req_[0-9a-z]{9}[0-9a-f]{18}$/)
  })
})
