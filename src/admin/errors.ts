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
    const { code, message } = refusal
    if (code === 'not_set_up') return render(req, res, 'not-set-up', { code, message })
    const fragment = req.get('hx-request') !== undefined
    if (fragment) res.set({ 'HX-Retarget': '#flash', 'HX-Reswap': 'innerHTML', 'HX-Reselect': '.notice' })
    render(req, res, 'errors/error', { code, message, fragment })
  }
}

/** Browsers say that they want HTML; below /admin so does whoever says nothing. */
function wantsPage(req: Request): boolean {
  if (/^\/api(\/|$)/.test(req.path)) return false
  const first = /^\/admin(\/|$)/.test(req.path) ? ['html', 'json'] : ['json', 'html']
  return req.get('hx-request') !== undefined || req.accepts(first) === 'html'
}

/** What express and its body parser refuse themselves. */
function fromExpress(error: unknown): unknown {
  if (error instanceof URIError) return new Refusal('bad_request', 'The address is not valid.')
  const type = error instanceof Error && 'type' in error && 'expose' in error && error.expose ? error.type : null
  if (type === 'entity.too.large' || type === 'parameters.too.many')
    return new Refusal('payload_too_large', 'This form is larger than any of ours.')
  if (type === 'charset.unsupported' || type === 'encoding.unsupported')
    return new Refusal('unsupported_media_type', 'Send the form in UTF-8, and not compressed.')
  if (typeof type === 'string') return new Refusal('bad_request', 'This form could not be read. Send it again.')
  return error
}
