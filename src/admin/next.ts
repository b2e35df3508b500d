/** Leads on to the workspace somebody was in last. */
export const FRONT = '/admin'
const HERE = 'http://here.invalid'

/** Where to go after signing in: a page of ours, or the front one. Answers the address as a browser would read it. */
export function ownPage(wanted: unknown): string {
  if (typeof wanted !== 'string' || !wanted.startsWith('/')) return FRONT
  const url = URL.parse(wanted, HERE)
  if (url?.origin !== HERE || !/^\/admin(\/|$)/.test(url.pathname) || url.pathname.includes('//')) return FRONT
  return /^\/admin\/sign-(in|out)\/?$/.test(url.pathname) ? FRONT : url.pathname + url.search
}
