import { measureCalls } from './calls.ts'
import { removeFolders } from './claviger.ts'
import { startLoader } from './loaders.ts'
import { readOptions } from './options.ts'
import { endAll } from './processes.ts'
const options = readOptions(process.argv.slice(2))!
try {
  const rows = await measureCalls(options, startLoader(), (t) => console.error(t))
  for (const r of rows) console.log(r.name.padEnd(48), r.perSecond.toFixed(0).padStart(7), r.toDirect?.toFixed(2), r.toCeiling?.toFixed(2), 'cpu', r.cpuMicros.toFixed(0), 'p50', r.p50Ms.toFixed(3), 'p99', r.p99Ms.toFixed(3), r.addedP50Ms?.toFixed(3), r.addedP99Ms?.toFixed(3), r.rssBeforeMb.toFixed(0), r.rssAfterMb.toFixed(0))
} finally { await endAll(); removeFolders() }
