import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Case, lineWith, type World } from '../case.ts'

const QUIET = {
  OPENCODE_DISABLE_AUTOUPDATE: '1',
  OPENCODE_DISABLE_MODELS_FETCH: '1',
  OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
  OPENCODE_DISABLE_DEFAULT_PLUGINS: '1',
}

function withModelOfStandIn({ home, model }: World): void {
  const file = join(home, '.config/opencode/opencode.jsonc')
  const { mcp } = JSON.parse(readFileSync(file, 'utf8'))
  const options = { baseURL: `${model}/v1`, apiKey: 'sk-ant-none' }
  const provider = { anthropic: { options, models: { 'stand-in': { name: 'Stand-in', tool_call: true } } } }
  const name = 'anthropic/stand-in'
  writeFileSync(file, JSON.stringify({ mcp, provider, model: name, small_model: name, autoupdate: false }))
}

export const opencode: Case[] = [
  {
    name: 'opencode',
    package: { name: 'opencode-ai', version: '1.18.33' },
    async run(world) {
      const list = () => world.run('opencode', ['mcp', 'list'], QUIET)
      await world.step('list', async () => {
        const header = `Authorization=Bearer ${world.key}`
        await world.run('opencode', ['mcp', 'add', 'gw', '--url', world.url, '--header', header], QUIET)
        withModelOfStandIn(world)
        return lineWith(/gw connected/, (await list()).all)
      })
      await world.step('call', async () => {
        const said = await world.run('opencode', ['run', '--format', 'json', 'Call the tool.'], QUIET)
        return lineWith(new RegExp(`The tool answers: .*${world.words}`), said.all)
      })
      await world.revoke()
      await world.step('refused', async () => lineWith(/gw (needs authentication|failed)/, (await list()).all))
    },
  },
]
