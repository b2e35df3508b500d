import { withoutSecretsIn } from './address.ts'
import { withoutSecrets } from './arguments.ts'
import type { Target } from './mcp.ts'

/** A target as anybody may see it, but for headers and variables: of its address or arguments, what holds no secret. */
export function told<T extends Target>(target: T): T {
  if (target.kind === 'http') return { ...target, url: withoutSecretsIn(target.url) }
  if (target.kind === 'stdio') return { ...target, args: withoutSecrets(target.args) }
  return target
}
