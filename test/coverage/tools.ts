import { createRequire } from 'node:module'
import { binaries, install, type Package } from '../clients/install.ts'

/** They bring forty packages along, which nobody else needs: fetched by the first run, and not by `npm ci`. */
const INSTRUMENT: Package = { name: 'istanbul-lib-instrument', version: '6.0.3' }
const COVERAGE: Package = { name: 'istanbul-lib-coverage', version: '3.2.2' }
const SOURCE_MAPS: Package = { name: 'istanbul-lib-source-maps', version: '5.0.6' }

export async function installTools(): Promise<void> {
  for (const tool of [INSTRUMENT, COVERAGE, SOURCE_MAPS]) await install(tool)
}

type Place = { start: { line: number } }
export type FileCoverage = {
  path: string
  b: Record<string, number[]>
  branchMap: Record<string, { type: string; loc: Place; locations: Place[] }>
}
type CoverageMap = { merge(more: object): void; files(): string[]; fileCoverageFor(path: string): FileCoverage }
type Instrumenter = {
  instrumentSync(code: string, path: string, map: object): string
  lastSourceMap(): object
}

export async function instrumenter(): Promise<Instrumenter> {
  const { default: instrument } = await import(pathOf(INSTRUMENT))
  return instrument.createInstrumenter({ esModules: true, compact: false, produceSourceMap: true })
}

export async function coverageMap(): Promise<CoverageMap> {
  const { default: coverage } = await import(pathOf(COVERAGE))
  return coverage.createCoverageMap({})
}

/** Told in the lines that people wrote. */
export async function asWritten(counted: CoverageMap): Promise<CoverageMap> {
  const { default: maps } = await import(pathOf(SOURCE_MAPS))
  return maps.createSourceMapStore().transformCoverage(counted)
}

function pathOf(tool: Package): string {
  return createRequire(binaries(tool)).resolve(tool.name)
}
