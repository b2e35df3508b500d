/** What an AbortSignal is to those who listen to it. */
export type StopSignal = {
  readonly aborted: boolean
  addEventListener(type: 'abort', hear: Hears, options?: { once: boolean }): void
  removeEventListener(type: 'abort', hear: Hears): void
}

type Hears = (() => void) | { handleEvent(): void }

/** An AbortController and its signal in one: each call needs several listeners, and these cost a tenth. */
export class Stop implements StopSignal {
  aborted = false
  #heardBy: Hears[] | null = null

  abort(): void {
    if (this.aborted) return
    this.aborted = true
    const heardBy = this.#heardBy
    this.#heardBy = null
    let mistake: unknown = null
    for (const hear of heardBy ?? []) {
      try {
        typeof hear === 'function' ? hear() : hear.handleEvent()
      } catch (error) {
        mistake ??= error // the others must end all the same
      }
    }
    if (mistake !== null) throw mistake
  }

  /** As a listener to another signal. */
  handleEvent(): void {
    this.abort()
  }

  addEventListener(_type: 'abort', hear: Hears): void {
    if (this.aborted) return
    if (this.#heardBy) this.#heardBy.push(hear)
    else this.#heardBy = [hear]
  }

  removeEventListener(_type: 'abort', hear: Hears): void {
    const heardBy = this.#heardBy
    if (!heardBy) return
    if (heardBy.at(-1) === hear) return void heardBy.pop() // as it mostly is
    const at = heardBy.lastIndexOf(hear)
    if (at >= 0) heardBy.splice(at, 1)
  }
}
