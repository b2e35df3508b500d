import type { FoundKey } from '../store.ts'

/**
 * Keys by the hash of a secret, for very many of them: what a look needs lies in one line of the processor's cache, where
 * a Map would send it to four places and the key's own dates to five more.
 */
export type KeyTable = {
  size(): number
  get(hash: string): FoundKey | undefined
  /** The key if it is beyond doubt that it is active and the secret not ended; undefined says nothing. */
  active(hash: string, now: Date): FoundKey | undefined
  set(hash: string, key: FoundKey): void
  drop(hash: string): void
}

/** So many letters of a hash stand for it, four to a word: 144 bits that nobody without the instance's secret can aim at. */
const LETTERS = 24
const HASH_WORDS = LETTERS / 4
/** After them: where the key lies, and until when it is active, in seconds. */
const INDEX = HASH_WORDS
const UNTIL = HASH_WORDS + 1
const WORDS = HASH_WORDS + 2

const FOREVER = 2 ** 32 - 1

export function keyTable(): KeyTable {
  let slots = 64
  let words = new Uint32Array(slots * WORDS)
  const keys: (FoundKey | undefined)[] = []
  const wanted = new Uint32Array(HASH_WORDS)

  function want(hash: string): void {
    for (let word = 0, at = 0; word < HASH_WORDS; word++, at += 4)
      wanted[word] =
        hash.charCodeAt(at) |
        (hash.charCodeAt(at + 1) << 8) |
        (hash.charCodeAt(at + 2) << 16) |
        (hash.charCodeAt(at + 3) << 24)
  }

  /** Where the wanted one lies, or would: no hash begins with a zero, and a quarter of the slots is empty. */
  function found(): number {
    let slot = (Math.imul(wanted[0]! ^ (wanted[1]! << 3), 0x9e3779b1) >>> 8) & (slots - 1)
    while (words[slot * WORDS] !== 0 && !isWanted(slot * WORDS)) slot = (slot + 1) & (slots - 1)
    return slot * WORDS
  }

  function isWanted(at: number): boolean {
    for (let word = 0; word < HASH_WORDS; word++) if (words[at + word] !== wanted[word]) return false
    return true
  }

  function grow(): void {
    const before = words
    slots *= 2
    words = new Uint32Array(slots * WORDS)
    for (let at = 0; at < before.length; at += WORDS) {
      if (before[at] === 0) continue
      wanted.set(before.subarray(at, at + HASH_WORDS))
      words.set(before.subarray(at, at + WORDS), found())
    }
  }

  return {
    size: () => keys.length,
    get(hash) {
      want(hash)
      const at = found()
      return words[at] === 0 ? undefined : keys[words[at + INDEX]!]
    },
    active(hash, now) {
      want(hash)
      const at = found()
      return now.getTime() < words[at + UNTIL]! * 1000 ? keys[words[at + INDEX]!] : undefined
    },
    set(hash, key) {
      want(hash)
      let at = found()
      if (words[at] === 0) {
        if (keys.length >= slots * 0.75) {
          grow()
          want(hash)
          at = found()
        }
        words.set(wanted, at)
        words[at + INDEX] = keys.length
      }
      keys[words[at + INDEX]!] = key
      words[at + UNTIL] = activeUntil(key)
    },
    drop(hash) {
      want(hash)
      const at = found()
      if (words[at] === 0) return
      keys[words[at + INDEX]!] = undefined
      words[at + UNTIL] = 0
    },
  }
}

/** In whole seconds; 0 where it must be judged each time. */
function activeUntil({ revokedAt, disabledAt, notBefore, expiresAt, secret }: FoundKey): number {
  if (revokedAt || disabledAt || notBefore) return 0
  const ends = [expiresAt, secret.endsAt].flatMap((end) => (end ? [Math.floor(end.getTime() / 1000)] : []))
  return Math.max(0, Math.min(FOREVER, ...ends))
}
