import { type Environment, fillInAll } from './variables.ts'

/** What a program needs to run at all; proxies, credentials and our own settings are nobody's by default. */
const PASSED_ON = ['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'TERM', 'LANG', 'LC_ALL', 'LC_CTYPE', 'TZ', 'TMPDIR']

/** The environment of a stdio server: a few everyday names and what its definition declares. */
export function childEnvironment(declared: Record<string, string>, environment: Environment): Record<string, string> {
  const child: Record<string, string> = {}
  for (const name of PASSED_ON) {
    const value = environment[name]
    if (value !== undefined) child[name] = value
  }
  return Object.assign(child, fillInAll(declared, environment))
}
