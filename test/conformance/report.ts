export type Scenario = {
  name: string
  /** At least one check passed and none failed: a scenario that checked nothing has shown nothing. */
  ok: boolean
  checksPassed: number
  checksFailed: number
  /** What went wrong or was warned about, a sentence each. */
  problems: string[]
}

type Check = { id: string; status: string; errorMessage?: string }

/** How many scenarios the suite set out to run. */
export function announced(stdout: string): number {
  return Number(/^Running .+ \((\d+) scenarios\) against /m.exec(stdout)?.[1])
}

/** The scenarios of the summary, with what their checks say. */
export async function scenariosIn(stdout: string, readFile: (path: string) => Promise<string>): Promise<Scenario[]> {
  const summary = stdout.slice(stdout.indexOf('=== SUMMARY ==='))
  const lines = summary.matchAll(/^[✓✗] (\S+): (\d+) passed, (\d+) failed$/gm)
  return Promise.all(
    [...lines].map(async ([, name = '', passed, failed]) => {
      const checksPassed = Number(passed)
      const checksFailed = Number(failed)
      const saved = resultsOf(name, stdout)
      const checks: Check[] = saved ? JSON.parse(await readFile(`${saved}/checks.json`)) : []
      const ok = checksPassed > 0 && checksFailed === 0
      return { name, ok, checksPassed, checksFailed, problems: checks.filter(isProblem).map(sentence) }
    }),
  )
}

/** The scenarios that the suite itself does not count. */
export function unscoredIn(stdout: string): Set<string> {
  const start = stdout.indexOf('\nNot scored for ')
  if (start < 0) return new Set()
  return new Set([...stdout.slice(start).matchAll(/^ {2}[✓✗] (\S+) \(/gm)].map(([, name = '']) => name))
}

function resultsOf(name: string, stdout: string): string | undefined {
  const [, after] = stdout.split(`=== Running scenario: ${name} ===`)
  return /^Results saved to (.+)$/m.exec(after?.split('=== ')[0] ?? '')?.[1]
}

const isProblem = ({ status }: Check) => status === 'FAILURE' || status === 'WARNING'
const sentence = ({ id, status, errorMessage }: Check) => `${status} ${id}: ${errorMessage ?? 'no reason given'}`
