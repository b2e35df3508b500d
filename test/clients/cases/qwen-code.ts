import { type Case, lineWith } from '../case.ts'

export const qwenCode: Case[] = [
  {
    name: 'Qwen Code',
    package: { name: '@qwen-code/qwen-code', version: '0.24.4' },
    async run(world) {
      const model = { ANTHROPIC_BASE_URL: world.model, ANTHROPIC_API_KEY: 'sk-ant-none' }
      await world.step('list', async () => {
        const header = `Authorization: Bearer ${world.key}`
        await world.run('qwen', ['mcp', 'add', '-t', 'http', 'gw', world.url, '-H', header])
        return lineWith(/gw: .* - Connected/, (await world.run('qwen', ['mcp', 'list'])).all)
      })
      await world.step('call', async () => {
        const args = ['--auth-type', 'anthropic', '-m', 'stand-in', '--approval-mode', 'yolo', 'Call the tool.']
        return lineWith(new RegExp(`The tool answers: .*${world.words}`), (await world.run('qwen', args, model)).all)
      })
      await world.revoke()
      await world.step('refused', async () =>
        lineWith(/gw: .* - Disconnected/, (await world.run('qwen', ['mcp', 'list'])).all),
      )
    },
  },
]
