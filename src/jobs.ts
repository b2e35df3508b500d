import type { Context } from './core/context.ts'
import type { Log } from './log.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

type Options = { activityDays: number; log: Log }

/** The timetable: what runs how often, the first time soon after the start. Returns how to stop. */
export function startJobs(ctx: Context, { activityDays, log }: Options): () => void {
  const jobs: Record<string, () => Promise<void>> = {
    'forget sessions that have ended': () => ctx.store.sessions.sweep(ctx.now()),
    'forget answers nobody repeats any more': () => ctx.store.answers.sweep(before(1)),
    'forget activity that is too old': () => ctx.store.activity.sweep(before(activityDays)),
  }
  const before = (days: number) => new Date(ctx.now().getTime() - days * DAY_MS)

  async function run(): Promise<void> {
    for (const [name, job] of Object.entries(jobs))
      await job().catch((error: unknown) => log.error('A job failed; it runs again in an hour', { job: name, error }))
  }

  const first = setTimeout(run, 10_000)
  const hourly = setInterval(run, HOUR_MS)
  for (const timer of [first, hourly]) timer.unref()
  return () => {
    clearTimeout(first)
    clearInterval(hourly)
  }
}
