import type { IncomingMessage } from 'node:http'

/** Where people and clients reach us: the public URL, else the address that this request used. */
export function originFor(publicUrl: URL | null, req: IncomingMessage): string {
  return publicUrl?.origin ?? `${req.seen.https ? 'https' : 'http'}://${req.headers.host}`
}
