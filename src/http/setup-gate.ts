import type { Context } from '../core/context.ts'
import { Refusal } from '../core/refusal.ts'

/** Nothing to wait for once it is known. */
export type RequireSetUp = () => Promise<void> | null

/** Until an owner exists nothing is answered. The last owner cannot go, so a yes is remembered for good. */
export function setupGate({ store }: Pick<Context, 'store'>): RequireSetUp {
  let done = false

  async function look(): Promise<void> {
    done = await store.setup.done()
    if (!done)
      throw new Refusal(
        'not_set_up',
        'This Claviger has no owner yet. Open the setup link from its terminal, or run `claviger setup-url` for a new one.',
      )
  }

  return () => (done ? null : look())
}
