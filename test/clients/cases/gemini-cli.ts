import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Case, lineWith, type World } from '../case.ts'

const TRUSTED = { GEMINI_CLI_TRUST_WORKSPACE: 'true' }

function withKeyOfStandIn({ home }: World): void {
  const file = join(home, '.gemini/settings.json')
  const settings = JSON.parse(readFileSync(file, 'utf8'))
  const security = { auth: { selectedType: 'gemini-api-key' } }
  writeFileSync(file, JSON.stringify({ ...settings, security, privacy: { usageStatisticsEnabled: false } }))
}

export const geminiCli: Case[] = [
  {
    name: 'Gemini CLI',
    package: { name: '@google/gemini-cli', version: '0.61.0' },
    async run(world) {
      const gemini = (args: string[], env = {}) => world.run('gemini', args, { ...TRUSTED, ...env })
      await world.step('list', async () => {
        const header = `Authorization: Bearer ${world.key}`
        await gemini(['mcp', 'add', '-t', 'http', '-s', 'user', 'gw', world.url, '-H', header, '--trust'])
        withKeyOfStandIn(world)
        return lineWith(/gw: .* - Connected/, (await gemini(['mcp', 'list'])).all)
      })
      await world.step('call', async () => {
        const said = await gemini(['-m', 'gemini-2.5-flash', '--approval-mode', 'yolo', '-p', 'Call the tool.'], {
          GOOGLE_GEMINI_BASE_URL: world.model,
          GEMINI_API_KEY: 'none',
        })
        return lineWith(new RegExp(`The tool answers: .*${world.words}`), said.all)
      })
      await world.revoke()
      await world.step('refused', async () => lineWith(/gw: .* - Disconnected/, (await gemini(['mcp', 'list'])).all))
    },
  },
]
