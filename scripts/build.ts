import { statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { compile } from './build/compile.ts'
import { lockedVersion } from './build/packages.ts'
import { TARGET_NAMES, type TargetName, thisMachine } from './build/targets.ts'

const dist = join(import.meta.dir, '../dist')

/** Without a name: for this machine, as dist/claviger. */
async function build(argv: string[]): Promise<void> {
  const { positionals, values } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: { out: { type: 'string' } },
  })
  if (Bun.version !== lockedVersion('bun'))
    throw new Error(`This is Bun ${Bun.version}; the program is built with ${lockedVersion('bun')}. Run: npm run build`)
  const wanted = positionals.includes('all') ? TARGET_NAMES : positionals.map(known)
  if (wanted.length === 0)
    return one(known(thisMachine()), values.out ?? join(dist, `claviger${suffix(thisMachine())}`))
  if (values.out && wanted.length > 1) throw new Error('--out names one file; give it one target.')
  for (const name of wanted) await one(name, values.out ?? join(dist, `claviger-${name}${suffix(name)}`))
}

async function one(name: TargetName, outfile: string): Promise<void> {
  const startedAt = performance.now()
  console.log(`${name}: building`)
  await compile(name, outfile)
  const megabytes = (statSync(outfile).size / 1e6).toFixed(0)
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  console.log(`${name}: ${relative(process.cwd(), outfile)}, ${megabytes} MB, in ${seconds} s`)
}

function known(name: string): TargetName {
  if ((TARGET_NAMES as string[]).includes(name)) return name as TargetName
  throw new Error(`"${name}" is no target. Choose from: ${TARGET_NAMES.join(', ')}, all.`)
}

function suffix(name: string): string {
  return name.startsWith('windows') ? '.exe' : ''
}

try {
  await build(process.argv.slice(2))
} catch (error) {
  console.error(`The build failed: ${(error as Error).message}`)
  process.exitCode = 1
}
