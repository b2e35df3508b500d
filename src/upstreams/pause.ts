import type { StopSignal } from './stop.ts'

/** Ends early, and without complaint, when the signal does. */
export function pause(milliseconds: number, signal?: StopSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const over = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', over)
      resolve()
    }
    const timer = setTimeout(over, milliseconds)
    signal?.addEventListener('abort', over, { once: true })
  })
}
