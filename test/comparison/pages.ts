import { resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../..')

/** The page that holds the whole table. */
export const page: string = resolve(root, 'docs/comparison.md')

/** The README, which holds the table in short. */
export const readme: string = resolve(root, 'README.md')
