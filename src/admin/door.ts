import type { Context } from '../core/context.ts'
import type { KeptLibrary } from '../core/repos/in-step.ts'
import type { Tools } from '../core/tools.ts'
import type { Hosts } from '../http/hosts.ts'
import type { RequireSetUp } from '../http/setup-gate.ts'
import type { Render } from './render.ts'

/** What the pages are built from. */
export type Door = {
  ctx: Context
  tools: Tools
  library: KeptLibrary
  render: Render
  hosts: Hosts
  requireSetUp: RequireSetUp
  publicUrl: URL | null
}
