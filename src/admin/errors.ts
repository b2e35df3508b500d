import type { ErrorRequestHandler, Request } from 'express'
import { Refusal } from '../core/refusal.ts'
import { asRefusal, refusalHeaders, STATUS, sendProblem } from '../http/refusals.ts'
import type { Render } from './render.ts'

/** A sentence that says what to do next for people, problem+json for programs. */
export function errorPages(render: Render): ErrorRequestHandler {
  return (error, req, res, _next) => {
    const refusal = asRefusal(fromExpress(error), req.log)
    if (res.headersSent) return void res.destroy()
    if (!wantsPage(req)) return sendProblem(res, refusal, req.seen.id)
    res.status(STATUS[refusal.code]).set(refusalHeaders(refusal))
    render(req, res, 'errors/error', { title: 'That did not work', code: refusal.code, message: refusal.message })
  }
}

function wantsPage(req: Request): boolean {
  return (
    !req.path.startsWith('/api') && (req.get('hx-request') !== undefined || req.accepts(['json', 'html']) === 'html')
  )
}

/** What express itself refuses: addresses it cannot decode. */
function fromExpress(error: unknown): unknown {
  return error instanceof URIError ? new Refusal('bad_request', 'The address is not valid.') : error
}
