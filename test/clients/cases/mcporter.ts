import { type Case, lineWith } from '../case.ts'

export const mcporter: Case[] = [
  {
    name: 'mcporter',
    package: { name: 'mcporter', version: '0.12.3' },
    async run(world) {
      const at = [
        '--http-url',
        world.url,
        '--allow-http',
        '--header',
        `Authorization=Bearer ${world.key}`,
        '--name',
        'gw',
      ]
      const list = () => world.run('mcporter', ['list', ...at])
      await world.step('list', async () => lineWith(/\d+ tools/, (await list()).all))
      await world.step('call', async () => {
        const { all } = await world.run('mcporter', ['call', ...at, 'gw.echo', `text=${world.words}`])
        return lineWith(new RegExp(world.words), all)
      })
      await world.revoke()
      await world.step('refused', async () => lineWith(/Reason:/, (await list()).all))
    },
  },
]
