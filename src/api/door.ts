import type { Request, Response } from 'express'
import type { Context } from '../core/context.ts'
import type { Ring } from '../core/keys/ring.ts'
import type { KeptLibrary } from '../core/repos/in-step.ts'
import type { Tools } from '../core/tools.ts'
import type { Recorder } from '../http/record.ts'
import type { RequireSetUp } from '../http/setup-gate.ts'

/** What the door is built from. */
export type Door = {
  ctx: Context
  ring: Ring
  tools: Tools
  library: KeptLibrary
  recorder: Recorder
  requireSetUp: RequireSetUp
  render: (req: Request, res: Response, view: string, data: object) => void
  publicUrl: URL | null
  version: string
}
