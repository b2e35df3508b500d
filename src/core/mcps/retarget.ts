import type { Context } from '../context.ts'
import { invalid } from '../refusal.ts'
import type { HttpTarget, StdioTarget, Target } from './mcp.ts'
import { unsealTarget } from './sealing.ts'
import { told } from './told.ts'

/** A target as a form gives it: `headers` and `env` are null where those that are kept shall stay. */
export type Given =
  | (Omit<HttpTarget, 'headers' | 'sealedUrl'> & { headers: HttpTarget['headers'] | null })
  | (Omit<StdioTarget, 'env' | 'sealedArgs'> & { env: StdioTarget['env'] | null })

/** The target as it shall be, of what was typed and what cannot be shown; undefined where nothing changes. */
export function retarget({ secrets }: Pick<Context, 'secrets'>, kept: Target | null, given: Given | null) {
  if (given === null) return kept && null
  const whole = <T extends Target>(target: T) => unsealTarget(secrets.sealing, target) as T
  if (given.kind === 'http')
    return kept?.kind === 'http' ? readdressed(kept, whole(kept), given) : { ...given, headers: given.headers ?? {} }
  return kept?.kind === 'stdio' ? recommanded(kept, whole(kept), given) : { ...given, env: given.env ?? {} }
}

/** `kept`: as the form has shown it. */
function readdressed(kept: HttpTarget, before: HttpTarget, given: Given & { kind: 'http' }): HttpTarget | undefined {
  const { headers } = given
  const url = given.url === told(kept).url ? before.url : given.url
  if (headers) return { kind: 'http', url, headers }
  if (url === before.url) return undefined
  if (Object.keys(before.headers).length > 0 && URL.parse(url)?.origin !== URL.parse(before.url)?.origin)
    throw invalid(
      'headers',
      'This is another server. Write its headers anew: those that are kept were for the old one.',
    )
  return { ...before, url }
}

function recommanded(kept: StdioTarget, before: StdioTarget, given: Given & { kind: 'stdio' }) {
  const { env } = given
  const asShown = same(given.args, told(kept).args)
  const args = asShown ? before.args : given.args
  if (!env && asShown && given.command === before.command && given.cwd === before.cwd) return undefined
  return { ...given, args, env: env ?? before.env }
}

/** But for the ends of lines, which a form's field leaves out. */
function same(typed: string[], shown: string[]): boolean {
  return JSON.stringify(typed) === JSON.stringify(shown.map((arg) => arg.replace(/[\r\n]/g, '')))
}
