import type { Context } from '../context.ts'
import { invalid } from '../refusal.ts'
import { withoutSecretsIn } from './address.ts'
import { withoutSecrets } from './arguments.ts'
import type { HttpTarget, StdioTarget, Target } from './mcp.ts'
import { unsealTarget } from './sealing.ts'

/** A target as a form gives it: `headers` and `env` are null where those that are kept shall stay. */
export type Given =
  | (Omit<HttpTarget, 'headers' | 'sealedUrl'> & { headers: HttpTarget['headers'] | null })
  | (Omit<StdioTarget, 'env' | 'sealedArgs'> & { env: StdioTarget['env'] | null })

/** The target as it shall be, of what was typed and what cannot be shown; undefined where nothing changes. */
export function retarget({ secrets }: Pick<Context, 'secrets'>, kept: Target | null, given: Given | null) {
  const before = kept && unsealTarget(secrets.sealing, kept)
  if (given === null) return before && null
  if (given.kind === 'http') return readdressed(before?.kind === 'http' ? before : null, given)
  return recommanded(before?.kind === 'stdio' ? before : null, given)
}

function readdressed(before: HttpTarget | null, given: Given & { kind: 'http' }): HttpTarget | undefined {
  const { headers } = given
  if (!before) return { ...given, headers: headers ?? {} }
  const url = given.url === withoutSecretsIn(before.url) ? before.url : given.url
  if (headers) return { kind: 'http', url, headers }
  if (url === before.url) return undefined
  if (Object.keys(before.headers).length > 0 && URL.parse(url)?.origin !== URL.parse(before.url)?.origin)
    throw invalid(
      'headers',
      'This is another server. Write its headers anew: those that are kept were for the old one.',
    )
  return { ...before, url }
}

function recommanded(before: StdioTarget | null, given: Given & { kind: 'stdio' }): StdioTarget | undefined {
  const { env } = given
  if (!before) return { ...given, env: env ?? {} }
  const asShown = same(given.args, withoutSecrets(before.args))
  const args = asShown ? before.args : given.args
  if (!env && asShown && given.command === before.command && given.cwd === before.cwd) return undefined
  return { ...given, args, env: env ?? before.env }
}

function same(one: string[], other: string[]): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
