import { createHmac, createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto'

/** A text that no log, template or error can print by accident; only `reveal()` gives it up. */
export class Secret {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  reveal(): string {
    return this.#text
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]'
  }
}

/** One key for each purpose, so that none can stand in for another. */
export type Secrets = {
  keys: KeyObject
  tokens: KeyObject
  audit: KeyObject
  sealing: KeyObject
  /** Stored in the database: tells whether this secret is the one it was made with. */
  fingerprint: string
}

export function deriveSecrets(instanceSecret: Secret): Secrets {
  const derive = (purpose: string) =>
    createSecretKey(Buffer.from(hkdfSync('sha256', instanceSecret.reveal(), 'claviger', purpose, 32)))
  return {
    keys: derive('api keys'),
    tokens: derive('sessions and links'),
    audit: derive('audit heads'),
    sealing: derive('upstream credentials'),
    fingerprint: createHmac('sha256', derive('fingerprint')).update('claviger').digest('base64url'),
  }
}

/** For links and sessions. The prefix lets the log recognise one wherever it turns up. */
export function newToken(kind: 'setup' | 'session' | 'invite'): Secret {
  return new Secret(`clv_${kind}_${randomBytes(32).toString('hex')}`)
}

export function hashToken(secrets: Secrets, token: string): string {
  return createHmac('sha256', secrets.tokens).update(token).digest('base64url')
}
