import { type Case, lineWith } from '../case.ts'

const ERAS = ['legacy', 'auto', 'modern']

export const inspector: Case[] = ERAS.map((era) => ({
  name: `Inspector --cli, ${era}`,
  package: { name: '@modelcontextprotocol/inspector', version: '2.12.0' },
  async run(world) {
    const ask = (...args: string[]) =>
      world.run('mcp-inspector', [
        ...['--cli', world.url, '--transport', 'http', '--header', `X-API-Key: ${world.key}`],
        ...['--protocol-era', era, '--stored-auth-only', '--format', 'json', '-q', ...args],
      ])
    await world.step('list', async () => {
      const { stdout } = await ask('--method', 'tools/list')
      const { tools } = JSON.parse(stdout).result as { tools: { name: string }[] }
      if (!tools.some(({ name }) => name === 'echo')) throw new Error(stdout)
      return `${tools.length} tools`
    })
    await world.step('call', async () => {
      const args = JSON.stringify({ text: world.words })
      const { all } = await ask('--method', 'tools/call', '--tool-name', 'echo', '--tool-args-json', args)
      return lineWith(new RegExp(`"text":"${world.words}"`), all)
    })
    await world.revoke()
    await world.step('refused', async () => lineWith(/"error"/, (await ask('--method', 'tools/list')).all))
  },
}))
