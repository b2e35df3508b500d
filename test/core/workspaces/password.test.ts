import { hash } from '@node-rs/argon2'
import { describe, expect, it } from 'vitest'
import { Secret } from '../../../src/core/secret.ts'
import { hashPassword, passwordFits } from '../../../src/core/workspaces/password.ts'

const about = ['ana.lopez@example.com', 'Ana López']
const refusal = (text: string) =>
  hashPassword(new Secret(text), about).then(
    () => null,
    (error) => error.message,
  )

describe('a password', () => {
  it.each(['correct horse battery staple', 'zebra-lantern-cobalt-41', 'ключ от всех дверей здесь', 'x7#Kp2!vQ9@z'])(
    'may be %j',
    async (text) => {
      const stored = await hashPassword(new Secret(text), about)
      expect(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
      expect(await passwordFits(new Secret(text), stored)).toBe(true)
      expect(await passwordFits(new Secret(`${text} `), stored)).toBe(false)
    },
  )

  it.each([
    ['short', /at least 12 characters/],
    ['x7#Kp2!vQ9@', /at least 12/],
    ['😀'.repeat(11), /at least 12/],
    ['a'.repeat(257), /at most 256/],
    ['password1234', /easy to guess/],
    ['aaaaaaaaaaaaaaaa', /easy to guess/],
    ['123456789012', /easy to guess/],
    ['qwertyuiop[]', /easy to guess/],
    ['ana.lopez2026', /easy to guess/],
    ['ClavigerClaviger', /easy to guess/],
  ])('may not be %j', async (text, says) => {
    expect(await refusal(text)).toMatch(says)
  })

  it('is hashed anew each time', async () => {
    const text = new Secret('correct horse battery staple')
    expect(await hashPassword(text, about)).not.toBe(await hashPassword(text, about))
  })

  it('fits nothing that is no hash', async () => {
    for (const stored of ['', 'x', '$argon2id$', 'correct horse battery staple'])
      expect(await passwordFits(new Secret('correct horse battery staple'), stored)).toBe(false)
  })
})

it('takes as long for an unknown account as for a wrong password', async () => {
  const stored = await hash('the right one', { memoryCost: 19_456, timeCost: 2, parallelism: 1 })
  const median = async (storedHash: string | null) => {
    const times: number[] = []
    for (let i = 0; i < 15; i++) {
      const startedAt = performance.now()
      expect(await passwordFits(new Secret('a wrong one'), storedHash)).toBe(false)
      times.push(performance.now() - startedAt)
    }
    return times.sort((a, b) => a - b)[7]!
  }
  const [known, unknown] = [await median(stored), await median(null)]
  expect(unknown / known).toBeGreaterThan(0.4)
  expect(unknown / known).toBeLessThan(2.5)
})

it('opens nothing with the password of nobody', async () => {
  expect(await passwordFits(new Secret('the password of nobody at all'), null)).toBe(false)
})
