import { readFileSync } from 'node:fs'

/** What each target is called by those whose parts it is made of. */
export type Target = { bun: string; sqlite: string; argon2: string; compile: Bun.Build.CompileTarget }

export const TARGETS = {
  'linux-x64': {
    bun: 'linux-x64',
    sqlite: 'linux-x64',
    argon2: 'linux-x64-gnu',
    compile: 'bun-linux-x64',
  },
  'linux-arm64': {
    bun: 'linux-aarch64',
    sqlite: 'linux-arm64',
    argon2: 'linux-arm64-gnu',
    compile: 'bun-linux-arm64',
  },
  'linux-x64-musl': {
    bun: 'linux-x64-musl',
    sqlite: 'linuxmusl-x64',
    argon2: 'linux-x64-musl',
    compile: 'bun-linux-x64-musl',
  },
  'linux-arm64-musl': {
    bun: 'linux-aarch64-musl',
    sqlite: 'linuxmusl-arm64',
    argon2: 'linux-arm64-musl',
    compile: 'bun-linux-arm64-musl',
  },
  'darwin-x64': {
    bun: 'darwin-x64',
    sqlite: 'darwin-x64',
    argon2: 'darwin-x64',
    compile: 'bun-darwin-x64',
  },
  'darwin-arm64': {
    bun: 'darwin-aarch64',
    sqlite: 'darwin-arm64',
    argon2: 'darwin-arm64',
    compile: 'bun-darwin-arm64',
  },
  'windows-x64': {
    bun: 'windows-x64',
    sqlite: 'win32-x64',
    argon2: 'win32-x64-msvc',
    compile: 'bun-windows-x64',
  },
} satisfies Record<string, Target>

export type TargetName = keyof typeof TARGETS
export const TARGET_NAMES = Object.keys(TARGETS) as TargetName[]

/** The machine that builds, named as a target. */
export function thisMachine(): string {
  const system = process.platform === 'win32' ? 'windows' : process.platform
  return `${system}-${process.arch}${usesMusl() ? '-musl' : ''}`
}

function usesMusl(): boolean {
  return process.platform === 'linux' && /\/ld-musl-[^/\s]*\.so/.test(readFileSync('/proc/self/maps', 'latin1'))
}
