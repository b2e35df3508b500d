import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { BunPlugin } from 'bun'
import { fileOf } from './packages.ts'
import { TARGETS, type Target, type TargetName, thisMachine } from './targets.ts'

const root = join(import.meta.dir, '../..')

/** Everything the program needs to run becomes one file; it appears under its name only when whole. */
export async function compile(name: TargetName, outfile: string): Promise<void> {
  const target: Target = TARGETS[name]
  mkdirSync(dirname(outfile), { recursive: true })
  const draft = mkdtempSync(join(dirname(outfile), '.building-'))
  try {
    const executable = join(draft, basename(outfile))
    const built = await Bun.build({
      entrypoints: [join(root, 'src/main.ts'), ...THREADS.map((file) => join(root, file))],
      target: 'bun',
      format: 'esm',
      minify: true,
      bytecode: true,
      sourcemap: 'linked',
      plugins: [embeddedAddons],
      throw: false,
      compile: {
        target: target.compile,
        executablePath: await runtime(name, target),
        outfile: executable,
        assets: [...FOLDERS.map((folder) => join(root, folder)), await addons(draft, target)],
        // the folder it is started in is data, not code
        autoloadDotenv: false,
        autoloadBunfig: false,
        autoloadTsconfig: false,
        autoloadPackageJson: false,
      },
    })
    if (!built.success) throw new Error(built.logs.map(String).join('\n') || 'Bun gives no reason.')
    renameSync(executable, outfile)
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}

/** A thread's file is not found by itself. */
const THREADS = ['src/docs/worker.ts', 'src/store/activity-worker.ts']

/** Embedded under their last names, which src/assets.ts knows. */
const FOLDERS = ['views', 'static', 'docs', 'src/store/migrations']

async function runtime(name: TargetName, { bun }: Target): Promise<string> {
  if (name === thisMachine()) return process.execPath
  return fileOf(root, `@oven/bun-${bun}`, (path) => /(^|\/)bin\/bun(\.exe)?$/.test(path))
}

async function addons(draft: string, { sqlite, argon2 }: Target): Promise<string> {
  const folder = join(draft, 'addons')
  mkdirSync(folder)
  const prebuild = await fileOf(root, 'better-sqlite3', (path) => path === `prebuilds/${sqlite}.node`)
  copyFileSync(prebuild, join(folder, 'better-sqlite3.node'))
  const binding = await fileOf(root, `@node-rs/argon2-${argon2}`, (path) => path.endsWith('.node'))
  copyFileSync(binding, join(folder, 'argon2.node'))
  return folder
}

/** Both packages search node_modules for their machine code; in the executable they ask src/assets.ts instead. */
const embeddedAddons: BunPlugin = {
  name: 'embedded addons',
  setup(build) {
    const assets = JSON.stringify(join(root, 'src/assets.ts'))
    build.onLoad({ filter: /[\\/]better-sqlite3[\\/]lib[\\/]binding\.js$/ }, () => ({
      loader: 'js',
      contents: `exports.getBinding = () => require(${assets}).nativeAddon('better-sqlite3')`,
    }))
    build.onLoad({ filter: /[\\/]@node-rs[\\/]argon2[\\/]index\.js$/ }, () => ({
      loader: 'js',
      contents: `import { nativeAddon } from ${assets}
        export const hash = (...given) => nativeAddon('argon2').hash(...given)
        export const verify = (...given) => nativeAddon('argon2').verify(...given)`,
    }))
  },
}
