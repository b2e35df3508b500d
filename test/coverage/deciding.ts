import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The code that decides who may do what: each branch of it is to be run by a test. */
export const DECIDING =
  /src\/(core\/(keys\/(?!words)|policy|caller|workspaces\/roles|repos\/reach)|http\/(authenticate|credentials))/

/** The suites that ask it. */
export const SUITES = [
  'test/core',
  'test/api',
  'test/cli',
  'test/admin',
  'test/http',
  'test/key-states',
  'test/gateway/permission',
]

/** Where each thread leaves what it has counted. */
export const COUNTED = join(tmpdir(), `claviger-coverage-${process.env.CLAVIGER_COVERAGE_RUN ?? process.pid}`)
