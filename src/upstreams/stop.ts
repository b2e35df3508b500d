/** What an AbortSignal is to those who listen to it. */
export type StopSignal = {
  readonly aborted: boolean
  addEventListener(type: 'abort', hear: () => void, options?: { once: boolean }): void
  removeEventListener(type: 'abort', hear: () => void): void
}

/** An AbortController and its signal in one: each call needs several listeners, and these cost a tenth. */
export class Stop implements StopSignal {
  aborted = false
  readonly #heardBy: (() => void)[] = []

  abort(): void {
    if (this.aborted) return
    this.aborted = true
    for (const hear of this.#heardBy.splice(0)) hear()
  }

  addEventListener(_type: 'abort', hear: () => void): void {
    if (!this.aborted) this.#heardBy.push(hear)
  }

  removeEventListener(_type: 'abort', hear: () => void): void {
    const at = this.#heardBy.lastIndexOf(hear)
    if (at >= 0) this.#heardBy.splice(at, 1)
  }
}
