import type { Secrets } from './secret.ts'
import type { Store } from './store.ts'

/** All that the rules ask of the world. */
export type Context = {
  store: Store
  secrets: Secrets
  now: () => Date
  /** What new keys begin with; `clv` unless the instance chose its own. */
  brand: string
  /** A folder on the server's disk, links followed. A Refusal if repos may not lie there, which names the roots to the operator. */
  folderAt: (path: string, forOperator: boolean) => string
}
