import type { Measured, Plan, Told } from './load/plan.ts'
import { keep, script } from './processes.ts'

export type Loader = { run(plan: Plan): Promise<Measured> }

/** The loader lives in a process of its own; it does one plan at a time. */
export function startLoader(): Loader {
  const waiting: ((told: Told) => void)[] = []
  const child = keep(
    Bun.spawn(script('load/loader.ts'), {
      stdio: ['ignore', 'inherit', 'inherit'],
      ipc: (told: Told) => waiting.shift()?.(told),
    }),
  )
  void child.exited.then(() => {
    for (const tell of waiting.splice(0)) tell({ failed: 'the loader ended' })
  })
  return {
    async run(plan) {
      const told = await new Promise<Told>((resolve) => {
        waiting.push(resolve)
        child.send(plan)
      })
      if ('failed' in told) throw new Error(told.failed)
      return told.measured
    },
  }
}
