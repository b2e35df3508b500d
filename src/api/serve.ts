import type { Handler, Request, Response } from 'express'
import { demand } from '../core/caller.ts'
import { authenticate, programOf } from '../http/authenticate.ts'
import { sayWhenExpiring } from '../http/expiring.ts'
import type { Door } from './door.ts'
import { isKnown, tagOf } from './etag.ts'
import type { Answer, Endpoint, Program } from './operation.ts'

/** Who asks and whether they may comes first: a stranger's body is never read, a mere reader's never judged. */
export function serve(door: Door, { operation, ...endpoint }: Endpoint): Handler {
  const { status } = operation.answer
  if (endpoint.open) return async (req, res) => send(req, res, status, await endpoint.run(door, req))
  return async (req, res) => {
    const caller = async () => {
      const program = await identify(door, req, res)
      const itself = operation.itself && program.key.id === req.params.id
      if (operation.power && !itself) demand(program, operation.power)
      return program
    }
    const gone = new AbortController()
    res.once('close', () => gone.abort())
    send(req, res, status, await endpoint.run(door, req, caller, gone.signal))
  }
}

async function identify({ ctx, ring, recorder }: Door, req: Request, res: Response): Promise<Program> {
  const { key } = await authenticate(ctx, ring, req, { urlToo: false })
  sayWhenExpiring(res, key, ctx.now)
  if (key.secret.endsAt) recorder.usedOld(key.secret.hash, ctx.now())
  recorder.used({
    keyId: key.id,
    at: ctx.now(),
    ip: req.seen.address,
    client: req.get('user-agent')?.slice(0, 100) ?? null,
  })
  return programOf(ctx, key, req)
}

function send(req: Request, res: Response, status: number, { body, once, revision, location, replayed }: Answer): void {
  res.setHeader('Cache-Control', 'no-store')
  if (location) res.setHeader('Location', location)
  if (replayed) res.setHeader('Idempotency-Replayed', 'true')
  if (revision !== undefined && body) {
    const tag = tagOf(revision, body)
    res.setHeader('ETag', tag)
    if (req.method === 'GET' && isKnown(req, tag)) return void res.status(304).end()
  }
  if (body === null) res.status(status).end()
  else res.status(status).json({ ...body, ...once?.members })
}
