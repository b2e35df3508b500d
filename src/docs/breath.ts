const SLICE_MS = 30

export type Breath = {
  /** Whether others should have their turn by now. */
  due(): boolean
  /** Lets them, when it is due. Throws once nobody wants the work any more. */
  take(): Promise<void>
}

/** Long work goes on in slices: a search that came meanwhile waits for one of them, not for all. */
export function breathing(isOver: () => boolean): Breath {
  let since = performance.now()
  const due = () => performance.now() - since > SLICE_MS
  return {
    due,
    async take() {
      if (!due()) return
      await new Promise((resolve) => setImmediate(resolve))
      if (isOver()) throw new Error('It is over.')
      since = performance.now()
    },
  }
}
