import { pause } from './pause.ts'
import { Stop } from './stop.ts'

const LONGEST_MS = 2_000

/**
 * Over HTTP each message travels on its own, and a request that overtakes `notifications/initialized` is refused by some
 * servers and answered by others as if nobody had told them what the client can do.
 */
export class Greeting {
  #isDue = false
  #isUnderWay = false
  readonly #held = new Map<number, () => void>()

  /** The handshake is done: what is said next is the greeting. */
  due(): void {
    this.#isDue = true
  }

  said(accepted: Promise<void>): void {
    if (!this.#isDue) return
    this.#isDue = false
    this.#isUnderWay = true
    const known = new Stop()
    void Promise.race([accepted, pause(LONGEST_MS, known)]).finally(() => {
      known.abort()
      this.#isUnderWay = false
      for (const ask of this.#held.values()) ask()
      this.#held.clear()
    })
  }

  /** Asks at once, but for a request that follows on the heels of the greeting. */
  before(id: number, ask: () => void): void {
    if (this.#isUnderWay) this.#held.set(id, ask)
    else ask()
  }

  /** True if it was still held back: then the server need not hear that nobody waits for it any more. */
  drop(id: number | null): boolean {
    return id !== null && this.#held.delete(id)
  }
}
