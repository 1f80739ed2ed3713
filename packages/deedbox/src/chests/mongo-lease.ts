import { type MongoCollection, type MongoDatabase, plainValues } from './mongo-connection.ts'
import { duplicateKey, mongoCode } from './mongo-failure.ts'

/** Who had the right to empty a chest, the newest one last. */
interface Turn {
  /** One more than the turn before: there is one of each number, so two cannot take the same. */
  readonly _id: number
  readonly holder: string
  readonly until: Date
}

/**
 * Takes the right, by the server's clock, for a holder who has it or if nobody has. It rests on nothing but that a server
 * has each `_id` once, which is what all that speak MongoDB's protocol have in common.
 */
export async function takeTurn(
  database: MongoDatabase,
  turns: MongoCollection,
  holder: string,
  milliseconds: number,
): Promise<boolean> {
  const { localTime } = await database.command({ hello: 1 }, { ...plainValues, readPreference: 'primary' })
  const now = localTime instanceof Date ? localTime.getTime() : Date.now()
  const last = await newest(turns)
  if (last !== undefined && last.holder !== holder && last.until.getTime() > now) return false
  return begin(turns, last, { holder, until: new Date(now + milliseconds) })
}

/** Gives the right back, if this holder has it. */
export async function endTurn(turns: MongoCollection, holder: string): Promise<void> {
  const last = await newest(turns)
  if (last?.holder === holder) await begin(turns, last, { holder, until: new Date(0) })
}

/** Who took the right last, and has not given it back. */
export async function holderIn(turns: MongoCollection): Promise<string | undefined> {
  const last = await newest(turns)
  return last === undefined || last.until.getTime() === 0 ? undefined : last.holder
}

async function begin(
  turns: MongoCollection,
  last: Turn | undefined,
  { holder, until }: Omit<Turn, '_id'>,
): Promise<boolean> {
  const turn = { _id: (last?._id ?? 0) + 1, holder, until }
  try {
    await turns.insertOne(turn)
  } catch (error) {
    if (mongoCode(error) === duplicateKey) return false
    throw error
  }
  // Others may have gone on, and cleared away, since the last one was read.
  const isNewest = (await newest(turns))?._id === turn._id
  await turns.deleteMany(isNewest ? { _id: { $lt: turn._id } } : { _id: turn._id, holder })
  return isNewest
}

async function newest(turns: MongoCollection): Promise<Turn | undefined> {
  const [turn] = await turns.find({}, { sort: { _id: -1 }, limit: 1 }).toArray()
  return turn as Turn | undefined
}
