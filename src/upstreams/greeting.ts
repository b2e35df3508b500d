import { pause } from './pause.ts'

const LONGEST_MS = 2_000

/**
 * Over HTTP each message travels on its own, and a request that overtakes `notifications/initialized` is refused by some
 * servers and answered by others as if nobody had told them what the client can do.
 */
export class Greeting {
  #isDue = false
  #underWay: Promise<void> | null = null

  /** The handshake is done: what is said next is the greeting. */
  due(): void {
    this.#isDue = true
  }

  said(accepted: Promise<void>): void {
    if (!this.#isDue) return
    this.#isDue = false
    this.#underWay = Promise.race([accepted, pause(LONGEST_MS)]).finally(() => {
      this.#underWay = null
    })
  }

  /** At once, but for a request that follows on the heels of the greeting. */
  before(ask: () => void): void {
    if (this.#underWay) void this.#underWay.then(ask)
    else ask()
  }
}
