const BLOCK = 64
const DIGEST = 32

/**
 * HMAC-SHA-256 (RFC 2104) of SHA-256 digests under one key, each hash into memory that is kept: every request needs one,
 * and a hasher made for it costs three times as much.
 */
export class Sealer {
  readonly #inner: Buffer
  readonly #outer: Buffer
  readonly #message: Buffer
  readonly #innerDigest: Buffer
  readonly #sealed = Buffer.alloc(DIGEST)

  constructor(key: Uint8Array) {
    if (key.length > BLOCK) throw new Error(`A key of ${key.length} bytes is too long.`)
    this.#inner = padded(key, 0x36)
    this.#outer = padded(key, 0x5c)
    this.#message = this.#inner.subarray(BLOCK)
    this.#innerDigest = this.#outer.subarray(BLOCK)
  }

  /** Of the digest of a text. */
  sealText(text: string): string {
    Bun.SHA256.hash(text, this.#message)
    return this.#seal()
  }

  seal(digest: Uint8Array): string {
    if (digest.length !== DIGEST) throw new Error(`A SHA-256 has ${DIGEST} bytes, not ${digest.length}.`)
    this.#message.set(digest)
    return this.#seal()
  }

  #seal(): string {
    Bun.SHA256.hash(this.#inner, this.#innerDigest)
    Bun.SHA256.hash(this.#outer, this.#sealed)
    return this.#sealed.toString('base64url')
  }
}

/** The key in a block of its own, and room for what is hashed with it. */
function padded(key: Uint8Array, by: number): Buffer {
  const bytes = Buffer.alloc(BLOCK + DIGEST)
  bytes.set(key)
  for (let at = 0; at < BLOCK; at++) bytes[at]! ^= by
  return bytes
}
