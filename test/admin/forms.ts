import { newOnce } from '../../src/admin/once.ts'
import type { Started } from '../support/start.ts'

/** Signs in by the form, as a browser would. */
export function signInAs({ call }: Started, email: string, password: string, more: Sent = {}): Promise<Response> {
  const { next = '', headers = {} } = more
  return call('POST', '/admin/sign-in', { form: { email, password, next }, headers })
}

type Sent = { next?: string; headers?: Record<string, string> }

/** What the create form posts, with everything left as it is found. */
export function keyForm({ ctx }: Started, more: Record<string, string> = {}): Record<string, string> {
  return {
    once: newOnce(ctx.now()),
    name: 'laptop',
    environment: 'live',
    type: 'restricted',
    scopes: 'mcp:*',
    mcp_access: 'all',
    expires_at: 'never',
    ...more,
  }
}

export function cookieIn(answer: Response, name = 'claviger_session'): string | null {
  const line = answer.headers.getSetCookie().find((cookie) => cookie.startsWith(`${name}=`))
  return line?.split(';')[0] ?? null
}

export function fullKeyIn(html: string): string | null {
  return /clv_(?:live|test)_[0-9A-Za-z]{48}/.exec(html)?.[0] ?? null
}
