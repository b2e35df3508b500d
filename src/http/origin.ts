import type { Incoming } from './messages.ts'

/** Where people and clients reach us: the public URL, else the address that this request used. */
export function originFor(publicUrl: URL | null, req: Incoming): string {
  return publicUrl?.origin ?? `${req.seen.https ? 'https' : 'http'}://${req.headers.host}`
}
