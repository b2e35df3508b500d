import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer, Server as TlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'

const LIMITS = {
  headersTimeout: 15_000,
  requestTimeout: 120_000, // to receive a request; an answer may take as long as it needs
  keepAliveTimeout: 65_000, // longer than the minute after which proxies drop an idle connection
  connectionsCheckingInterval: 5_000, // how late the first two may strike
}

export function serverFor(
  { certificate, key }: { certificate: string | null; key: string | null },
  limits: Partial<typeof LIMITS> = {},
): Server {
  if (Boolean(certificate) !== Boolean(key))
    throw new Error('To serve https set both CLAVIGER_TLS_CERT and CLAVIGER_TLS_KEY.')
  return certificate && key
    ? createTlsServer({ ...LIMITS, ...limits, cert: readFileSync(certificate), key: readFileSync(key) })
    : createServer({ ...LIMITS, ...limits })
}

/** Answers with the address to open, the port that was picked included. */
export function listen(server: Server, host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explained(error, host, port)))
    server.listen(port, host, () => {
      const at = server.address() as AddressInfo
      const name = ['0.0.0.0', '::'].includes(host) ? 'localhost' : host.includes(':') ? `[${host}]` : host
      resolve(`${server instanceof TlsServer ? 'https' : 'http'}://${name}:${at.port}`)
    })
  })
}

function explained(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === 'EADDRINUSE')
    return new Error(
      `Port ${port} on ${host} is in use. Stop what uses it, or choose another: --port 0 picks a free one.`,
    )
  if (error.code === 'EACCES')
    return new Error(`Port ${port} needs more rights than this user has. Choose one above 1023, such as 8484.`)
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND')
    return new Error(`${host} is no address of this machine. Set CLAVIGER_HOST to 127.0.0.1, or 0.0.0.0 for all.`)
  return error
}
