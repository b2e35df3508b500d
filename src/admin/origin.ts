import { isSecure } from './cookies.ts'
import type { Door } from './door.ts'
import type { Inside } from './entrance.ts'

/** Where people reach us: the public URL, else the one this browser used. */
export function originOf({ publicUrl }: Door, { req }: Pick<Inside, 'req'>): string {
  return publicUrl?.origin ?? `${isSecure(req, publicUrl) ? 'https' : 'http'}://${req.headers.host}`
}
