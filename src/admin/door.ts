import type { Context } from '../core/context.ts'
import type { Hosts } from '../http/hosts.ts'
import type { RequireSetUp } from '../http/setup-gate.ts'
import type { Render } from './render.ts'

/** What the pages are built from. */
export type Door = { ctx: Context; render: Render; hosts: Hosts; requireSetUp: RequireSetUp; publicUrl: URL | null }
