import { CallFailed } from './connection.ts'

export type Environment = Record<string, string | undefined>

const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g

/**
 * `${VAR}` and `${VAR:-otherwise}` as this program's environment has them at this moment: the values are stored
 * nowhere. Claviger's own settings stay unreachable, its secret foremost.
 */
export function fillIn(text: string, environment: Environment): string {
  if (!text.includes('${')) return text
  return text.replace(VARIABLE, (_, name: string, otherwise: string | undefined) => {
    const value = name.startsWith('CLAVIGER_') ? undefined : environment[name]
    if (value) return value
    if (otherwise !== undefined) return otherwise
    throw new CallFailed({
      code: 'upstream_unavailable',
      stage: 'start',
      message: `The variable ${name} is not set where Claviger runs. Set it there, or change the MCP's settings.`,
      unsent: true,
    })
  })
}

export function fillInAll(texts: Record<string, string>, environment: Environment): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, fillIn(text, environment)]))
}
